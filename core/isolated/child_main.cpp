/// Threads: only the main thread reads calls and runs them; a step's own threads may log; the
/// watcher thread receives cancellations and detects the end of the parent.
///
/// Invariant: frames are sent whole, in the order in which Channel's mutex was locked; the result
/// of a call is its last frame.
#include "isolated/child_main.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "isolated/restrictions.hpp"
#include "isolated/wire.hpp"
#include "plugin/in_process_host.hpp"
#include "step/fault_handler.hpp"
#include "step/flight_recorder.hpp"
#include "step/step_call.hpp"

namespace weir {
namespace {

using Descriptors = IsolatedDescriptors;

constexpr std::uint64_t any_size = std::numeric_limits<std::uint64_t>::max() / 2;
constexpr std::size_t line_bytes_max = 64 * 1024;
constexpr std::size_t watcher_stack_bytes = 256 * 1024;

class Channel {
 public:
  template <class Fixed>
  void send(FrameKind kind, const Fixed& fixed, std::initializer_list<std::string_view> texts) {
    const std::lock_guard lock(mutex_);
    OutgoingFrame frame(kind, fixed, texts);
    WireEnd end = WireEnd::not_yet;
    while (end == WireEnd::not_yet) end = frame.send(Descriptors::channel);
    if (end != WireEnd::ok) ::_exit(EXIT_SUCCESS);  // the parent has gone
  }

 private:
  std::mutex mutex_;
};

// The call that is running, for the watcher.
class Current {
 public:
  void begin(std::uint64_t number, Cancellation<>& stop) {
    const std::lock_guard lock(mutex_);
    WEIR_ASSERT(stop_ == nullptr);  // one call at a time
    number_ = number;
    stop_ = &stop;
    if (cancelled_ >= number) stop.cancel();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    stop_ = nullptr;
  }
  void cancel(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    cancelled_ = number;
    if (stop_ != nullptr && number_ == number) stop_->cancel();
  }

 private:
  std::mutex mutex_;
  std::uint64_t number_ = 0, cancelled_ = 0;
  Cancellation<>* stop_ = nullptr;
};

struct Watched {
  Current& current;
  int parent;  // a pidfd, or -1
};

void* watch(void* argument) {
  const Watched watched = *std::unique_ptr<Watched>(static_cast<Watched*>(argument));
  for (;;) {
    pollfd both[] = {{.fd = Descriptors::control, .events = POLLIN, .revents = 0},
                     {.fd = watched.parent, .events = POLLIN, .revents = 0}};
    if (::poll(both, 2, -1) < 0) continue;
    if (both[1].revents != 0) ::_exit(EXIT_SUCCESS);
    if (both[0].revents == 0) continue;
    std::uint64_t number = 0;
    // The channel shows the parent's end to the main thread too, but that may be inside a step.
    if (::read(Descriptors::control, &number, sizeof number) != sizeof number)
      ::_exit(EXIT_SUCCESS);
    watched.current.cancel(number);
  }
}

// Signals are handled on the main thread only: a step expects to be on its stack.
bool start_watcher(Current& current) {
  const int parent = static_cast<int>(::syscall(SYS_pidfd_open, ::getppid(), 0));
  auto watched = std::make_unique<Watched>(Watched{current, parent});
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, watcher_stack_bytes);
  pthread_t thread{};
  const bool started = ::pthread_create(&thread, &attributes, watch, watched.get()) == 0;
  if (started) static_cast<void>(watched.release());
  pthread_attr_destroy(&attributes);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

class ChannelStepLines final : public StepLines {
 public:
  explicit ChannelStepLines(Channel& channel) : channel_(channel) {}
  void line(const Attempt&, LogLevel level, std::string_view text) override {
    const std::int32_t abi_level = level <= LogLevel::debug  ? WEIR_LOG_DEBUG
                                   : level == LogLevel::info ? WEIR_LOG_INFO
                                   : level == LogLevel::warn ? WEIR_LOG_WARN
                                                             : WEIR_LOG_ERROR;
    text = text.substr(0, line_bytes_max);
    channel_.send(FrameKind::log,
                  LogFrame{.level = abi_level, .reserved = 0, .text_bytes = text.size()}, {text});
  }

 private:
  Channel& channel_;
};

[[noreturn]] void refuse(Channel& channel, const PluginError& error) {
  channel.send(FrameKind::refused,
               RefusedFrame{.fault = static_cast<std::uint32_t>(error.kind),
                            .reserved = 0,
                            .detail_bytes = error.detail.size(),
                            .hint_bytes = error.hint.size()},
               {error.detail, error.hint});
  ::_exit(EXIT_FAILURE);
}

[[noreturn]] void refuse(Channel& channel, std::string detail) {
  refuse(channel,
         refusal(PluginStage::stage, PluginFault::load_failed, std::move(detail), "").error());
}

struct OpenRequest {
  OpenFrame limits;
  PluginInspection plugin;
  StagedCopy staged;
};

// Reads the first frame. The parent has checked the same text before.
std::optional<OpenRequest> read_open_request(Frame frame) {
  const auto open = read_open(frame);
  if (!open) return std::nullopt;
  auto manifest = Manifest::parse(open->note);
  if (!manifest) return std::nullopt;
  OpenRequest request{
      .limits = open->fixed,
      .plugin = {.file = {.path = std::string(open->path), .sha256 = std::string(open->sha256)},
                 .note = std::string(open->note),
                 .manifest = *std::move(manifest),
                 .flows = {}},
      .staged = std::filesystem::path(open->staged)};
  for (const FlowDraft& draft : request.plugin.manifest.flows) {
    auto flow = FlowDefinition::build(draft);
    if (!flow) return std::nullopt;
    request.plugin.flows.push_back(*std::move(flow));
  }
  return request;
}

void send_result(Channel& channel, const AttemptResult& result) {
  const std::string_view text = result.output ? result.output->text() : result.error;
  channel.send(FrameKind::result,
               ResultFrame{.outcome = static_cast<std::int32_t>(result.outcome),
                           .reserved = 0,
                           .retry_after_ms = result.retry_after ? result.retry_after->count() : 0,
                           .code_bytes = result.error_code.size(),
                           .text_bytes = text.size()},
               {result.error_code, text});
}

class Child {
 public:
  Child(Channel& channel, Current& current, const std::shared_ptr<FlightRecorder>& recorder,
        std::vector<FlowHandle> flows)
      : lines_(channel),
        channel_(channel),
        current_(current),
        seat_(recorder),
        flows_(std::move(flows)) {}

  // False when the frame is not a valid call.
  bool run(Frame frame) {
    const auto message = read_call(frame);
    if (!message) return false;
    const CallFrame& call = message->fixed;
    if (call.flow >= flows_.size() || call.step >= flows_[call.flow]->steps.size()) return false;
    const FlowHandle& flow = flows_[call.flow];

    Attempt attempt;
    attempt.run = static_cast<RunKey>(call.number);  // for the recorder, which outlives the child
    attempt.task = {.step = call.step, .index = call.index};
    attempt.number = call.attempt;
    attempt.flow = flow;
    attempt.step = flow->steps[call.step];
    attempt.options.max_output_bytes = call.max_output_bytes;
    attempt.input = Json::trusted(std::string(message->input));
    attempt.run_id = message->run_id;
    attempt.flow_input = Json::trusted(std::string(message->flow_input));
    current_.begin(call.number, attempt.stop);
    seat_.begin(attempt);
    const AttemptResult result = call_step(attempt, resources_, lines_);
    seat_.end();
    current_.end();
    send_result(channel_, result);
    return true;
  }

  void end() {
    Log discarded;
    resources_.end(discarded);
  }

 private:
  ChannelStepLines lines_;
  Channel& channel_;
  Current& current_;
  FaultStack fault_stack_;
  FlightRecorder::Seat seat_;
  std::vector<FlowHandle> flows_;
  StepResources resources_;
};

}  // namespace

void run_isolated_child() {
  ::fcntl(Descriptors::channel, F_SETFD, FD_CLOEXEC);
  ::fcntl(Descriptors::control, F_SETFD, FD_CLOEXEC);
  std::signal(SIGPIPE, SIG_IGN);  // as in the worker, so that steps run under the same conditions
  // None of these is ever destroyed: a step may have left threads behind that use them.
  auto& channel = *new Channel;
  auto& current = *new Current;
  FrameReader frames(Descriptors::channel);
  const auto read_frame = [&] {
    WireEnd end = WireEnd::not_yet;
    while (end == WireEnd::not_yet) end = frames.read(any_size);
    return end == WireEnd::ok;
  };
  auto opened = FlightRecorder::open(FileDescriptor(Descriptors::recorder));
  if (!opened || !read_frame()) ::_exit(EXIT_FAILURE);
  const auto& recorder = *new auto(std::make_shared<FlightRecorder>(*std::move(opened)));
  install_fault_handler(*recorder, -1);
  const auto request = read_open_request(frames.frame());
  if (!request) refuse(channel, "its process could not read what it was sent");
  const bool filtered = restrict_this_process(request->limits.memory_bytes);
  if (!start_watcher(current)) refuse(channel, "its process could not start a thread");

  auto modules = InProcessHost().open(request->plugin, request->staged);
  if (!modules) refuse(channel, modules.error());
  std::vector<FlowHandle> flows;
  for (FlowModule& module : *modules) flows.emplace_back(std::move(module));
  auto& child = *new Child(channel, current, recorder, std::move(flows));
  channel.send(FrameKind::opened, OpenedFrame{.filtered = filtered ? 1U : 0U, .reserved = 0}, {});

  while (read_frame())
    if (!child.run(frames.frame())) break;
  child.end();
  ::_exit(EXIT_SUCCESS);
}

}  // namespace weir
