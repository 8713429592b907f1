/// Tasks of a DynamicSupervisor, after Elixir's Task.Supervisor: functions that run once, each on a
/// thread of its own, and whose results are awaited. (They are not tasks of a flow's steps.)
///
/// Threads: a BasicTask is for one thread at a time. The body runs on the task's thread.
///
/// Invariants:
/// - The outcome is set once: by the end of the body, or when the supervisor abandons the task.
/// - It is seen after the body was destroyed and the end was reported to the supervisor. So one
///   who has awaited a task finds a place free for the next one (max_children).
#pragma once
#include <cassert>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <weir/supervisor/dynamic_supervisor.hpp>
#include <weir/supervisor/stop_signal.hpp>
#include <weir/supervisor/thread_child.hpp>

namespace weir {

namespace supervisor {

/// What a task and its handle share.
template <class T, class Sync>
struct TaskState {
  BasicStopSource<Sync> stop{};
  typename Sync::Mutex mutex{};
  typename Sync::Condition changed{};
  bool over = false;                   // guarded by mutex, as what follows
  std::optional<Result<T>> outcome{};  // when it is over, the handle's alone

  /// What the body returned.
  void settle(Result<T> returned) {
    const std::scoped_lock lock(mutex);
    if (!over) outcome = std::move(returned);
  }
  /// The end; the first one counts.
  void finish(const Result<void>& ended) {
    const std::scoped_lock lock(mutex);
    if (std::exchange(over, true)) return;
    if (!outcome) outcome = std::unexpected(ended.error());  // nothing was returned
    changed.notify_all();
  }
};

/// A body's return type, with or without Result, as the task's.
template <class Returned>
struct TaskResult {
  using Type = Returned;
};
template <class T>
struct TaskResult<Result<T>> {
  using Type = T;
};

}  // namespace supervisor

/// A task that was started by async or async_nolink.
template <class T, class Sync = StdSync>
class BasicTask {
  using State = supervisor::TaskState<T, Sync>;

 public:
  BasicTask(std::shared_ptr<State> state, bool linked)
      : state_(std::move(state)), linked_(linked) {}
  BasicTask(BasicTask&&) noexcept = default;
  BasicTask& operator=(BasicTask other) noexcept {
    std::swap(state_, other.state_);
    std::swap(linked_, other.linked_);
    return *this;
  }

  /// A linked task is asked to stop, and its end is awaited, as by std::jthread: so its body may
  /// refer to what lives longer than the handle. (If it is abandoned, it continues all the same.)
  ~BasicTask() {
    if (!state_ || !linked_) return;
    request_stop();
    wait();
  }

  /// Waits for its end: the value of its body, or the error that it returned or threw; unavailable,
  /// kind "over_time", when its supervisor abandoned it. Call one of this and await_for to get the
  /// outcome; once.
  Result<T> await() {
    wait();
    return taken();
  }

  /// The same, but nullopt when it has not ended within `time`.
  template <class Duration>
  std::optional<Result<T>> await_for(Duration time) {
    {
      std::unique_lock lock(state_->mutex);
      if (!state_->changed.wait_for(lock, time, [this] { return state_->over; }))
        return std::nullopt;
    }
    return taken();
  }

  /// Gives its body the signal to stop.
  void request_stop() { state_->stop.request(); }

 private:
  void wait() {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [this] { return state_->over; });
  }
  Result<T> taken() {
    assert(state_->outcome);  // it was not taken before
    Result<T> outcome = *std::move(state_->outcome);
    state_->outcome.reset();
    return outcome;
  }

  std::shared_ptr<State> state_;  // null when it was moved from
  bool linked_;
};

template <class T>
using Task = BasicTask<T>;

namespace supervisor {

template <class T, class Sync, class Body>
class TaskChild final : public Child {
  using State = TaskState<T, Sync>;

 public:
  TaskChild(ChildEnd end, const std::shared_ptr<State>& state,
            std::shared_ptr<std::optional<Body>> body)
      : state_(state),
        thread_(ChildEnd([end = std::move(end), state](Result<void> outcome) {
                  end.with(outcome);
                  state->finish(outcome);
                }),
                [state, body = std::move(body)](const auto&) { return run(*state, *body); }) {}

  void stop() override { state_->stop.request(); }
  void collect() override { thread_.collect(); }
  void abandon() override {
    state_->finish(std::unexpected(
        Error{.code = ErrorCode::unavailable,
              .kind = "over_time",
              .message = "the task did not stop in time and was left behind",
              .hint = "give it a longer shutdown, or make it check its stop signal"}));
    thread_.abandon();
  }

 private:
  static Result<void> run(State& state, std::optional<Body>& body) {
    std::optional<Body> mine = std::exchange(body, std::nullopt);  // destroyed when it has run
    const BasicStopSignal<Sync> signal = state.stop.signal();
    if constexpr (std::is_void_v<std::invoke_result_t<Body&, const BasicStopSignal<Sync>&>>) {
      (*mine)(signal);
      state.settle({});
      return {};
    } else {
      Result<T> returned = (*mine)(signal);
      const Result<void> ended =
          returned ? Result<void>() : Result<void>(std::unexpected(returned.error()));
      state.settle(std::move(returned));
      return ended;
    }
  }

  std::shared_ptr<State> state_;
  BasicThreadChild<Sync> thread_;
};

template <class Sync, class Body>
auto start_task(BasicDynamicSupervisor<Sync>& pool, Body body, Shutdown shutdown, bool linked) {
  using Returned = std::invoke_result_t<Body&, const BasicStopSignal<Sync>&>;
  using T = typename TaskResult<Returned>::Type;
  const auto state = std::make_shared<TaskState<T, Sync>>();
  // Shared, because it need not be copyable, and is to be gone when it has run.
  const auto once = std::make_shared<std::optional<Body>>(std::move(body));
  ChildSpec spec{.restart = Restart::temporary, .shutdown = shutdown};
  spec.id = "task";
  spec.start = [state, once](ChildEnd end) -> Result<std::shared_ptr<Child>> {
    return std::make_shared<TaskChild<T, Sync, Body>>(std::move(end), state, once);
  };
  const auto started = pool.start_child(std::move(spec));
  if (!started) return Result<BasicTask<T, Sync>>(std::unexpected(started.error()));
  return Result<BasicTask<T, Sync>>(std::in_place, state, linked);
}

}  // namespace supervisor

/// Starts `body(stop_signal)`, which returns a value, a Result or nothing, as a task that ends with
/// its handle. Errors: those of start_child, such as "max_children".
///
///     auto sum = async(*pool, [&](const StopSignal&) { return add(numbers); });
///     const Result<int> total = sum->await();
template <class Sync, class Body>
auto async(BasicDynamicSupervisor<Sync>& pool, Body body,
           Shutdown shutdown = Shutdown::after(std::chrono::seconds(5))) {
  return supervisor::start_task(pool, std::move(body), shutdown, true);
}

/// The same, but the task continues when its handle is destroyed.
template <class Sync, class Body>
auto async_nolink(BasicDynamicSupervisor<Sync>& pool, Body body,
                  Shutdown shutdown = Shutdown::after(std::chrono::seconds(5))) {
  return supervisor::start_task(pool, std::move(body), shutdown, false);
}

}  // namespace weir
