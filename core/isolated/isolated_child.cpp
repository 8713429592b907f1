#include "isolated/isolated_child.hpp"

#include <algorithm>
#include <array>
#include <atomic>
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
constexpr std::int64_t output_bytes_max = 256 * 1024 * 1024;
constexpr std::uint64_t frame_bytes_max = output_bytes_max + 1024 * 1024;
// For the main thread and those that work for deferred calls. What crashes on another one is charged to
// no call.
constexpr std::size_t seats = 64;
constexpr std::size_t warnings_max = 64;  // until they are taken
constexpr int reads_max = 16;             // at a time, for one child
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

}  // namespace

IsolatedChild::IsolatedChild(const IsolatedOptions& options, ChildProcess process,
                             FileDescriptor channel, std::shared_ptr<StopLine> stops,
                             FlightRecorder recorder, std::filesystem::path stage)
    : stop_grace_(options.stop_grace),
      memory_bytes_(options.memory_bytes),
      oom_kills_(oom_kills()),
      process_(std::move(process)),
      channel_(std::move(channel)),
      stops_(std::move(stops)),
      recorder_(std::move(recorder)),
      stage_(std::move(stage)),
      frames_(channel_.fd()) {}

std::expected<std::unique_ptr<IsolatedChild>, PluginError> IsolatedChild::start(
    const IsolatedOptions& options, const PluginInspection& plugin, const StagedCopy& staged,
    const std::weak_ptr<ChildReader>& reader) {
  const auto refused = [&](PluginError error) {
    return std::unexpected(placed(std::move(error), plugin.file));
  };
  auto channel = pair(), control = pair();
  auto recorder = FlightRecorder::make(seats);
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
  std::unique_ptr<IsolatedChild> child(
      new IsolatedChild(options, *std::move(process), std::move(channel->ours),
                        std::make_shared<StopLine>(std::move(control->ours), reader),
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
    handle_death(end, false);
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

IsolatedChild::Called IsolatedChild::run(IsolatedTarget target, const std::string& label,
                                         const weir_host& host, weir_call* call, weir_str input) {
  WEIR_ASSERT(!has_ended());
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
  if (sent != WireEnd::ok) return handle_death(sent, true);
  Running running{.label = label, .host = host, .call = call};
  return await(running);
}

IsolatedChild::Called IsolatedChild::await(Running& running) {
  for (bool ended = false;;) {
    const WireEnd end = frames_.read(frame_bytes_max);
    if (end == WireEnd::ok) {
      if (!take(frames_.frame(), &running)) return handle_death(WireEnd::broken, true);
      if (!running.called) continue;
      // What has come with it: nobody is woken for that any more.
      while (!has_ended() && frames_.is_ready(frame_bytes_max))
        if (frames_.read(frame_bytes_max) != WireEnd::ok || !take(frames_.frame(), nullptr))
          handle_death(WireEnd::broken, false);
      return *std::move(running.called);
    }
    if (end != WireEnd::not_yet) return handle_death(end, true);
    if (!ended && process_.wait(milliseconds(0))) {
      ended = true;
      ::shutdown(channel_.fd(), SHUT_RD);  // what it sent can be read, and nobody can send more
    }
    if (!ended && !within_grace(running.host, running.call)) return kill();
  }
}

void IsolatedChild::read() {
  WEIR_ASSERT(!has_ended());
  bool ended = false;
  for (int reads = 0; ended || reads < reads_max || frames_.is_ready(frame_bytes_max); ++reads) {
    const WireEnd end = frames_.read(frame_bytes_max, MSG_DONTWAIT);
    if (end == WireEnd::ok) {
      if (take(frames_.frame(), nullptr)) continue;
      handle_death(WireEnd::broken, false);
      return;
    }
    if (end != WireEnd::not_yet) {
      handle_death(end, false);
      return;
    }
    if (ended) continue;
    if (!process_.wait(milliseconds(0))) return;
    ended = true;
    ::shutdown(channel_.fd(), SHUT_RD);
  }
}

// False when it is not what a child may send now.
bool IsolatedChild::take(const Frame& frame, Running* running) {
  const auto of_running = [&](std::uint64_t number) {
    return running != nullptr && !running->called && number == number_;
  };
  if (const auto result = read_result(frame)) {
    const std::uint64_t number = result->fixed.number;
    if (of_running(number)) {
      running->called = {.end = CallEnd::answered,
                         .returned = pass_on(*result, running->host, running->call)};
      return true;
    }
    const auto found = pending_.find(number);
    if (found == pending_.end()) return false;
    const auto call = std::move(found->second);
    pending_.erase(found);
    call->answer(*result);
    return true;
  }
  if (const auto line = read_log(frame)) {
    const std::uint64_t number = line->fixed.number;
    if (number == 0) {
      if (warnings_.size() < warnings_max) warnings_.emplace_back(line->text);
      return true;
    }
    if (of_running(number)) {
      running->host.log(running->call, line->fixed.level, {line->text.data(), line->text.size()});
      return true;
    }
    const auto found = pending_.find(number);
    if (found != pending_.end()) found->second->log(line->fixed.level, line->text);
    return number <= number_;  // it may have ended meanwhile
  }
  const auto pends = read_pending(frame);
  if (!pends || !of_running(pends->number)) return false;
  auto call =
      std::make_shared<PendingCall>(running->host, running->call, number_, running->label, stops_);
  pending_.emplace(number_, call);
  running->called = {.end = CallEnd::pending, .pending = std::move(call)};
  return true;
}

// Notifies the child once when the step must stop; false when its grace period is over.
bool IsolatedChild::within_grace(const weir_host& host, weir_call* call) {
  const auto now = steady_clock::now();
  if (kill_at_) return now < *kill_at_;
  if (host.cancelled(call) == 0) return true;
  kill_at_ = now + stop_grace_;
  stops_->stop(number_);
  return true;
}

IsolatedChild::Called IsolatedChild::kill() {
  const ProcessEnd end = process_.kill();
  ended_as_ = EndedAs::killed;
  charged_ = number_;
  describe(to_string(end), end);
  return {.end = CallEnd::killed};
}

IsolatedChild::Called IsolatedChild::handle_death(WireEnd wire_end, bool runs) {
  ended_as_ = EndedAs::crashed;
  auto end = wire_end == WireEnd::broken ? std::nullopt : process_.wait(death_patience);
  if (end) {
    describe(to_string(*end), *end);
  } else {
    end = process_.kill();
    describe(wire_end == WireEnd::broken ? "it wrote into the channel to its worker, and was killed"
                                         : "it closed the channel to its worker, and was killed",
             ProcessEnd{});
  }
  charged_ = call_to_charge(runs);
  if ((charged_ != 0 || has_pending()) &&
      recorder_.page().crash.thread.load(std::memory_order_acquire) != 0)
    crash_text_ = crash_report(recorder_, *end, stage_).text;
  return {.end = runs && charged_ == number_ ? CallEnd::crashed : CallEnd::not_charged};
}

// The call on whose thread the process ended; else the one that was running; else the only one that a
// thread worked for. The process may have written anything over its record.
std::uint64_t IsolatedChild::call_to_charge(bool runs) const {
  const auto call_of = [](const flight::SeatRecord& seat) -> std::uint64_t {
    const bool in_call = seat.state.load(std::memory_order_acquire) == flight::SeatRecord::in_call;
    return in_call ? static_cast<std::uint64_t>(seat.run) : 0;
  };
  const auto is_here = [&](std::uint64_t number) {
    return (runs && number == number_) || pending_.contains(number);
  };
  const auto all = recorder_.seats();
  const flight::CrashRecord& crash = recorder_.page().crash;
  const bool recorded = crash.thread.load(std::memory_order_acquire) != 0;
  if (recorded && crash.seat >= 0 && static_cast<std::size_t>(crash.seat) < all.size()) {
    const std::uint64_t number = call_of(all[static_cast<std::size_t>(crash.seat)]);
    if (is_here(number)) return number;
    if (number > 0 && number < number_) return 0;  // it has ended already
  }
  // As the call before left it. Anything else may be what the step wrote over it.
  const bool begun = all.front().run != static_cast<RunKey>(number_ - 1) ||
                     all.front().state.load(std::memory_order_acquire) != flight::SeatRecord::idle;
  if (runs && begun) return number_;
  std::uint64_t only = 0;
  for (const flight::SeatRecord& seat : all) {
    const std::uint64_t number = call_of(seat);
    if (!is_here(number) || number == only) continue;
    if (recorded || only != 0) return 0;
    only = number;
  }
  return only;
}

std::vector<std::shared_ptr<PendingCall>> IsolatedChild::take_pending() {
  WEIR_ASSERT(has_ended());
  std::vector<std::shared_ptr<PendingCall>> all;
  for (auto& [number, call] : std::exchange(pending_, {})) all.push_back(std::move(call));
  std::ranges::sort(all, {}, &PendingCall::number);
  return all;
}

std::uint64_t IsolatedChild::next_id() noexcept {
  static std::atomic<std::uint64_t> next = 1;  // relaxed: only a number
  return next.fetch_add(1, std::memory_order_relaxed);
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
