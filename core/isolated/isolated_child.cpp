#include "isolated/isolated_child.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "base/child_process.hpp"
#include "base/oom_kills.hpp"
#include "isolated/child_main.hpp"
#include "run/journal_row.hpp"
#include "step/crash_report.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Descriptors = IsolatedDescriptors;

constexpr timeval channel_timeout{.tv_sec = 0, .tv_usec = 20'000};
constexpr milliseconds death_patience{1'000};  // from the end of its channel to its own end
constexpr std::uint64_t open_reply_bytes_max = 1024 * 1024;
constexpr std::uint64_t extra_bytes_max = 1024 * 1024;  // of a frame, in addition to an output
// The variables of the worker's environment that a plugin gets. None of them is Weir's or the
// database's.
constexpr std::array<const char*, 8> variables_kept = {
    "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH"};

std::vector<std::string> environment() {
  std::vector<std::string> kept;
  for (const char* const name : variables_kept)
    if (const char* const value = std::getenv(name); value != nullptr)
      kept.push_back(fmt::format("{}={}", name, value));
  std::ranges::move(sanitizer_variables(), std::back_inserter(kept));
  return kept;
}

struct Pair {
  FileDescriptor ours, theirs;
};

std::optional<Pair> pair() {
  int both[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) return std::nullopt;
  return Pair{FileDescriptor(both[0]), FileDescriptor(both[1])};
}

PluginError load_failed(std::string detail, std::string_view hint) {
  return refusal(PluginStage::stage, PluginFault::load_failed, std::move(detail), hint).error();
}

std::string_view call_property(const weir_host& host, weir_call* call, std::string_view key) {
  const weir_str value = host.get(call, {key.data(), key.size()});
  return value.size == 0 ? std::string_view() : std::string_view(value.data, value.size);
}

template <class Number>
Number number_of(std::string_view text, Number otherwise) {
  Number number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

weir_str str(std::string_view text) { return {text.data(), text.size()}; }

// Passes the step's result on to the host.
std::int32_t pass_on(const ResultMessage& result, const weir_host& host, weir_call* call) {
  const auto outcome = static_cast<Outcome>(result.fixed.outcome);
  if (outcome == Outcome::completed) {
    host.output(call, str(result.text));
    return WEIR_OK;
  }
  const std::int32_t kind =
      outcome == Outcome::failed_for_good ? WEIR_FAILED_FOR_GOOD : WEIR_FAILED;
  host.fail(call, kind, str(result.code), str(result.text),
            static_cast<std::uint64_t>(result.fixed.retry_after_ms));
  return kind;
}

}  // namespace

IsolatedChild::IsolatedChild(const IsolatedOptions& options, ChildProcess process,
                             FileDescriptor channel, FileDescriptor control,
                             FlightRecorder recorder, std::filesystem::path stage)
    : stop_grace_(options.stop_grace),
      memory_bytes_(options.memory_bytes),
      oom_kills_(oom_kills()),
      process_(std::move(process)),
      channel_(std::move(channel)),
      control_(std::move(control)),
      recorder_(std::move(recorder)),
      stage_(std::move(stage)),
      frames_(channel_.fd()) {}

std::expected<std::unique_ptr<IsolatedChild>, PluginError> IsolatedChild::start(
    const IsolatedOptions& options, const PluginInspection& plugin, const StagedCopy& staged) {
  const auto refused = [&](PluginError error) {
    return std::unexpected(placed(std::move(error), plugin.file));
  };
  auto channel = pair(), control = pair();
  auto recorder = FlightRecorder::make(1);
  if (!channel || !control || !recorder)
    return refused(load_failed(
        fmt::format("no descriptors for its process: {}", std::generic_category().message(errno)),
        "raise the limit on open files"));
  auto process =
      ChildProcess::start({.program = options.program,
                           .arguments = options.arguments,
                           .inherited = {{channel->theirs.fd(), Descriptors::channel},
                                         {control->theirs.fd(), Descriptors::control},
                                         {recorder->memory().fd(), Descriptors::recorder}},
                           .environment = environment()});
  if (!process) return refused(load_failed(process.error().message, process.error().hint));
  channel->theirs.reset();
  control->theirs.reset();
  for (const int direction : {SO_RCVTIMEO, SO_SNDTIMEO})
    ::setsockopt(channel->ours.fd(), SOL_SOCKET, direction, &channel_timeout,
                 sizeof channel_timeout);
  std::unique_ptr<IsolatedChild> child(new IsolatedChild(
      options, *std::move(process), std::move(channel->ours), std::move(control->ours),
      *std::move(recorder), staged.path().parent_path()));
  if (auto fault = child->open(plugin, staged, options.start_patience))
    return refused(*std::move(fault));
  return child;
}

std::optional<PluginError> IsolatedChild::open(const PluginInspection& plugin,
                                               const StagedCopy& staged, milliseconds patience) {
  const auto deadline = steady_clock::now() + patience;
  const OpenFrame frame_start{.memory_bytes = memory_bytes_,
                              .staged_bytes = staged.path().native().size(),
                              .path_bytes = plugin.file.path.size(),
                              .sha256_bytes = plugin.file.sha256.size(),
                              .note_bytes = plugin.note.size()};
  OutgoingFrame frame(FrameKind::open, frame_start,
                      {staged.path().native(), plugin.file.path, plugin.file.sha256, plugin.note});
  WireEnd end = WireEnd::not_yet;
  bool sent = false;
  while (end == WireEnd::not_yet && steady_clock::now() < deadline) {
    end = sent ? frames_.read(open_reply_bytes_max) : frame.send(channel_.fd());
    if (end == WireEnd::ok && !sent) {
      sent = true;
      end = WireEnd::not_yet;
    }
  }
  constexpr std::string_view hint = "its constructors run when it is loaded: see what they do";
  if (end == WireEnd::not_yet) {
    process_.kill();
    return load_failed(fmt::format("loading it takes longer than {} ms", patience.count()), hint);
  }
  if (end != WireEnd::ok) {
    handle_death(end);
    return load_failed(fmt::format("loading it ended its process: {}", end_text_), hint);
  }
  const Frame reply = frames_.frame();
  if (const auto opened = read_opened(reply)) {
    filtered_ = opened->filtered != 0;
    return std::nullopt;
  }
  process_.kill();
  const auto refused = read_refused(reply);
  if (!refused || refused->fixed.fault > static_cast<std::uint32_t>(PluginFault::unload_pinned))
    return load_failed("its process sent an answer that could not be read", hint);
  return refusal(PluginStage::stage, static_cast<PluginFault>(refused->fixed.fault),
                 std::string(refused->detail), refused->hint)
      .error();
}

IsolatedChild::CallEnd IsolatedChild::run(IsolatedTarget target, const weir_host& host,
                                          weir_call* call, weir_str input, std::int32_t& returned) {
  constexpr std::int64_t output_bytes_max = 256 * 1024 * 1024;
  WEIR_ASSERT(end_text_.empty());  // it has not ended
  kill_at_.reset();
  const std::string_view run_id = call_property(host, call, "run_id");
  const std::string_view flow_input = call_property(host, call, "flow_input");
  const CallFrame frame_start{
      .number = ++number_,
      .flow = target.flow,
      .step = target.step,
      .index = number_of<std::uint64_t>(call_property(host, call, "task_index"), 0),
      .max_output_bytes =
          number_of(call_property(host, call, "max_output_bytes"), output_bytes_max),
      .attempt = number_of(call_property(host, call, "attempt"), 1),
      .reserved = 0,
      .run_id_bytes = run_id.size(),
      .input_bytes = input.size,
      .flow_input_bytes = flow_input.size()};
  OutgoingFrame frame(FrameKind::call, frame_start,
                      {run_id, std::string_view(input.data, input.size), flow_input});
  WireEnd sent = frame.send(channel_.fd());
  for (; sent == WireEnd::not_yet; sent = frame.send(channel_.fd()))
    if (!within_grace(host, call)) return kill();
  if (sent != WireEnd::ok) return handle_death(sent);
  return await(host, call, returned);
}

IsolatedChild::CallEnd IsolatedChild::await(const weir_host& host, weir_call* call,
                                            std::int32_t& returned) {
  constexpr std::uint64_t bytes_max = 256 * 1024 * 1024 + extra_bytes_max;
  for (bool ended = false;;) {
    const WireEnd end = frames_.read(bytes_max);
    if (end == WireEnd::ok) {
      const Frame frame = frames_.frame();
      if (const auto result = read_result(frame)) {
        returned = pass_on(*result, host, call);
        return CallEnd::answered;
      }
      const auto line = read_log(frame);
      if (!line) return handle_death(WireEnd::broken);
      host.log(call, line->fixed.level, str(line->text));
    } else if (end != WireEnd::not_yet) {
      return handle_death(end);
    } else if (!ended && process_.wait(milliseconds(0))) {
      ended = true;
      ::shutdown(channel_.fd(), SHUT_RD);  // what it sent can be read, and nobody can send more
    }
    if (!ended && !within_grace(host, call)) return kill();
  }
}

// Notifies the child once when the step must stop; false when its grace period is over.
bool IsolatedChild::within_grace(const weir_host& host, weir_call* call) {
  const auto now = steady_clock::now();
  if (kill_at_) return now < *kill_at_;
  if (host.cancelled(call) == 0) return true;
  kill_at_ = now + stop_grace_;
  static_cast<void>(::send(control_.fd(), &number_, sizeof number_, MSG_NOSIGNAL | MSG_DONTWAIT));
  return true;
}

IsolatedChild::CallEnd IsolatedChild::kill() {
  const ProcessEnd end = process_.kill();
  describe(to_string(end), end);
  return CallEnd::killed;
}

IsolatedChild::CallEnd IsolatedChild::handle_death(WireEnd wire_end) {
  auto end = wire_end == WireEnd::broken ? std::nullopt : process_.wait(death_patience);
  if (end) {
    describe(to_string(*end), *end);
  } else {
    end = process_.kill();
    describe(wire_end == WireEnd::broken ? "it wrote into the channel to its worker, and was killed"
                                         : "it closed the channel to its worker, and was killed",
             ProcessEnd{});
  }
  // As the call before left it. Anything else may be what the step wrote over it.
  const auto& seat = recorder_.seats().front();
  if (number_ > 0 && seat.run == static_cast<RunKey>(number_ - 1) &&
      seat.state.load(std::memory_order_acquire) == flight::SeatRecord::idle)
    return CallEnd::not_begun;
  if (recorder_.page().crash.thread.load(std::memory_order_acquire) != 0)
    crash_text_ = crash_report(recorder_, *end, stage_).text;
  return CallEnd::crashed;
}

void IsolatedChild::describe(std::string end, const ProcessEnd& how) {
  end_text_ = std::move(end) + text_of_oom_kills(how, oom_kills_);
  if (memory_bytes_ > 0) end_text_ += fmt::format("; its memory limit is {} bytes", memory_bytes_);
}

void IsolatedChild::request_end() noexcept { ::shutdown(channel_.fd(), SHUT_WR); }

void IsolatedChild::finish(steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  if (!process_.wait(std::max(left, milliseconds(0)))) process_.kill();
}

}  // namespace weir
