/// Threads: only the main thread reads calls and runs them; a step's own threads may log, and complete
/// calls that are deferred; the watcher thread receives which calls are to stop, tells them, and detects
/// the end of the parent; the releaser thread, if there is one, lets go of what those calls acquired.
///
/// Invariants: frames are sent whole, in the order in which Channel's mutex was locked. A call has one
/// result, which comes after the frame that says that it is pending, if there is one. Lock order:
/// Calls' mutex before Channel's.
#include "isolated/child_main.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
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
constexpr std::size_t own_stack_bytes = 1024 * 1024;  // what plugins have called there runs on it

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

void send_result(Channel& channel, std::uint64_t number, const AttemptResult& result) {
  const std::string_view text = result.output ? result.output->text() : result.error;
  channel.send(FrameKind::result,
               ResultFrame{.number = number,
                           .outcome = static_cast<std::int32_t>(result.outcome),
                           .reserved = 0,
                           .retry_after_ms = result.retry_after ? result.retry_after->count() : 0,
                           .code_bytes = result.error_code.size(),
                           .text_bytes = text.size()},
               {result.error_code, text});
}

// The number of its call, which the parent has given it.
std::uint64_t number_of(const Attempt& attempt) { return static_cast<std::uint64_t>(attempt.run); }

// Signals are handled on the main thread only: a step expects to be on its stack.
bool start_thread(void* (*function)(void*), void* argument) {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, own_stack_bytes);
  pthread_t thread{};
  const bool started = ::pthread_create(&thread, &attributes, function, argument) == 0;
  pthread_attr_destroy(&attributes);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

// Lets go of what deferred calls had acquired: its destructors may wait for the thread that has
// completed the call.
class Releaser {
 public:
  void release(StepHost::Held held) {
    const std::lock_guard lock(mutex_);
    std::ranges::move(held, std::back_inserter(held_));
    // Without a thread it waits for the next one, or for the end of the process.
    if (!started_) started_ = start_thread(run, this);
    changed_.notify_all();
  }

  // No call is pending any more. Returns once nothing is held.
  void finish() {
    StepHost::Held last;  // destroyed outside the lock
    std::unique_lock lock(mutex_);
    last.swap(held_);
    changed_.wait(lock, [this] { return !releasing_; });
  }

 private:
  static void* run(void* self) { static_cast<Releaser*>(self)->run(); }

  [[noreturn]] void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return !held_.empty(); });
      StepHost::Held next = std::exchange(held_, {});
      releasing_ = true;
      lock.unlock();
      next.clear();
      lock.lock();
      releasing_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  StepHost::Held held_;
  bool started_ = false, releasing_ = false;
};

// The calls that run or are pending.
class Calls {
 public:
  explicit Calls(Channel& channel) : channel_(channel) {}

  void begin(std::uint64_t number, std::shared_ptr<Attempt> attempt) {
    const std::lock_guard lock(mutex_);
    last_ = number;
    if (stopped_ == number) attempt->stop.cancel();  // it has no callbacks yet
    calls_.emplace(number, Call{std::move(attempt)});
  }
  // Its `run` has returned its result.
  void end(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    calls_.erase(number);
  }
  // Its `run` has returned, and it is deferred: says that it is pending, or its result.
  void pend(std::uint64_t number) {
    std::unique_lock lock(mutex_);
    const auto found = calls_.find(number);
    WEIR_ASSERT(found != calls_.end());
    if (!found->second.completed) {
      found->second.pends = true;
      // Under the lock: before its result.
      channel_.send(FrameKind::pending, PendingFrame{.number = number}, {});
      return;
    }
    const std::shared_ptr<Attempt> attempt = std::move(found->second.attempt);
    calls_.erase(found);
    lock.unlock();
    send_result(channel_, number, attempt->result);
  }
  // It was deferred and is completed.  [any thread]
  void complete(const std::shared_ptr<Attempt>& attempt) {
    const std::uint64_t number = number_of(*attempt);
    {
      const std::lock_guard lock(mutex_);
      const auto found = calls_.find(number);
      WEIR_ASSERT(found != calls_.end());
      if (!found->second.pends) {
        found->second.completed = true;
        return;
      }
      calls_.erase(found);
    }
    send_result(channel_, number, attempt->result);
  }
  // [the watcher]
  void stop(std::uint64_t number) {
    std::shared_ptr<Attempt> attempt;
    {
      const std::lock_guard lock(mutex_);
      if (number > last_) stopped_ = number;  // its frame is on the way
      const auto found = calls_.find(number);
      if (found == calls_.end()) return;
      attempt = found->second.attempt;
    }
    attempt->stop.cancel();  // which may call what completes it
  }

 private:
  struct Call {
    std::shared_ptr<Attempt> attempt;
    bool pends = false;      // the parent was told
    bool completed = false;  // before that
  };

  Channel& channel_;
  std::mutex mutex_;           // guards what follows
  std::uint64_t last_ = 0;     // that has begun
  std::uint64_t stopped_ = 0;  // one that had not begun then
  std::unordered_map<std::uint64_t, Call> calls_;
};

struct Watched {
  Calls& calls;
  int parent;  // a pidfd, or -1
};

void* watch(void* argument) {
  const Watched watched = *std::unique_ptr<Watched>(static_cast<Watched*>(argument));
  std::array<std::uint64_t, 512> numbers;
  std::size_t bytes = 0;  // of numbers; a part of one may have come
  for (;;) {
    pollfd both[] = {{.fd = Descriptors::control, .events = POLLIN, .revents = 0},
                     {.fd = watched.parent, .events = POLLIN, .revents = 0}};
    if (::poll(both, 2, -1) < 0) continue;
    if (both[1].revents != 0) ::_exit(EXIT_SUCCESS);
    if (both[0].revents == 0) continue;
    // The channel shows the parent's end to the main thread too, but that may be inside a step.
    const ssize_t received =
        ::read(Descriptors::control, reinterpret_cast<char*>(numbers.data()) + bytes,
               sizeof numbers - bytes);
    if (received <= 0) ::_exit(EXIT_SUCCESS);
    bytes += static_cast<std::size_t>(received);
    const std::size_t whole = bytes / sizeof numbers[0];
    for (std::size_t i = 0; i < whole; ++i) watched.calls.stop(numbers[i]);
    bytes %= sizeof numbers[0];
    numbers[0] = whole < numbers.size() ? numbers[whole] : 0;
  }
}

bool start_watcher(Calls& calls) {
  const int parent = static_cast<int>(::syscall(SYS_pidfd_open, ::getppid(), 0));
  auto watched = std::make_unique<Watched>(Watched{calls, parent});
  if (!start_thread(watch, watched.get())) return false;
  static_cast<void>(watched.release());
  return true;
}

class ChannelStepLines final : public StepLines {
 public:
  explicit ChannelStepLines(Channel& channel) : channel_(channel) {}
  void line(const Attempt& attempt, LogLevel level, std::string_view text) override {
    send(number_of(attempt), level, text);
  }
  void warning(std::string_view text) override { send(0, LogLevel::warn, text); }

 private:
  void send(std::uint64_t number, LogLevel level, std::string_view text) {
    const std::int32_t abi_level = level <= LogLevel::debug  ? WEIR_LOG_DEBUG
                                   : level == LogLevel::info ? WEIR_LOG_INFO
                                   : level == LogLevel::warn ? WEIR_LOG_WARN
                                                             : WEIR_LOG_ERROR;
    text = text.substr(0, line_bytes_max);
    channel_.send(
        FrameKind::log,
        LogFrame{.number = number, .level = abi_level, .reserved = 0, .text_bytes = text.size()},
        {text});
  }

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

class Child {
 public:
  Child(Channel& channel, Calls& calls, const std::shared_ptr<FlightRecorder>& recorder,
        std::vector<FlowHandle> flows)
      : channel_(channel), calls_(calls), seat_(recorder), flows_(std::move(flows)) {
    host_->resources = std::make_shared<StepResources>();
    host_->lines = std::make_shared<ChannelStepLines>(channel);
    host_->completed = [this](const std::shared_ptr<Attempt>& attempt) {
      calls_.complete(attempt);
    };
    host_->release = [this](StepHost::Held held) { releaser_.release(std::move(held)); };
    host_->deferred_max = std::numeric_limits<std::size_t>::max();  // the parent knows how many may
    host_->recorder = recorder;
  }

  // False when the frame is not a valid call.
  bool run(Frame frame) {
    const auto message = read_call(frame);
    if (!message) return false;
    const CallFrame& call = message->fixed;
    if (call.flow >= flows_.size() || call.step >= flows_[call.flow]->steps.size()) return false;
    const FlowHandle& flow = flows_[call.flow];

    const auto attempt = std::make_shared<Attempt>();
    attempt->run = static_cast<RunKey>(call.number);  // for the recorder, which outlives the child
    attempt->task = {.step = call.step, .index = call.index};
    attempt->number = call.attempt;
    attempt->flow = flow;
    attempt->step = flow->steps[call.step];
    attempt->options.max_output_bytes = call.max_output_bytes;
    attempt->input = Json::trusted(std::string(message->input));
    attempt->run_id = message->run_id;
    attempt->flow_input = Json::trusted(std::string(message->flow_input));
    calls_.begin(call.number, attempt);
    seat_.begin(*attempt);
    const auto result = call_step(attempt, host_);
    seat_.end();
    if (result) {
      calls_.end(call.number);
      send_result(channel_, call.number, *result);
    } else {
      calls_.pend(call.number);
    }
    return true;
  }

  void end() {
    releaser_.finish();
    Log discarded;
    host_->resources->end(discarded);
  }

 private:
  Channel& channel_;
  Calls& calls_;
  FaultStack fault_stack_;
  FlightRecorder::Seat seat_;
  std::vector<FlowHandle> flows_;
  Releaser releaser_;
  const std::shared_ptr<StepHost> host_ = std::make_shared<StepHost>();
};

}  // namespace

void run_isolated_child() {
  ::fcntl(Descriptors::channel, F_SETFD, FD_CLOEXEC);
  ::fcntl(Descriptors::control, F_SETFD, FD_CLOEXEC);
  std::signal(SIGPIPE, SIG_IGN);  // as in the worker, so that steps run under the same conditions
  // None of these is ever destroyed: a step may have left threads behind that use them.
  auto& channel = *new Channel;
  auto& calls = *new Calls(channel);
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
  if (!start_watcher(calls)) refuse(channel, "its process could not start a thread");

  auto modules = InProcessHost().open(request->plugin, request->staged);
  if (!modules) refuse(channel, modules.error());
  std::vector<FlowHandle> flows;
  for (FlowModule& module : *modules) flows.emplace_back(std::move(module));
  auto& child = *new Child(channel, calls, recorder, std::move(flows));
  channel.send(FrameKind::opened, OpenedFrame{.filtered = filtered ? 1U : 0U, .reserved = 0}, {});

  while (read_frame())
    if (!child.run(frames.frame())) break;
  child.end();
  ::_exit(EXIT_SUCCESS);
}

}  // namespace weir
