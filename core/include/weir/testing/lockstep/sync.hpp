/// The Sync policy under lockstep: the same members as weir::StdSync, each operation a point.
///
/// Outside a schedule (before the body, after it, or with no explore() at all) every operation
/// takes effect at once, for one thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <weir/testing/lockstep/atomic.hpp>
#include <weir/testing/lockstep/mutex.hpp>

namespace weir::lockstep {

/// As std::thread: a task of the schedule. Only within one.
class Thread {
 public:
  Thread() noexcept = default;
  template <class F, class... Arguments>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Thread>)
  explicit Thread(F&& f, Arguments&&... arguments) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) std::terminate();  // there is no scheduler to run it
    task_ = scheduler->spawn(
        [call = std::decay_t<F>(std::forward<F>(f)),
         ... values = std::decay_t<Arguments>(std::forward<Arguments>(arguments))]() mutable {
          std::invoke(std::move(call), std::move(values)...);
        });
  }
  Thread(Thread&& other) noexcept : task_(std::exchange(other.task_, std::nullopt)) {}
  // NOLINTNEXTLINE(performance-noexcept-move-constructor): it reports a failure of the schedule
  Thread& operator=(Thread&& other) {
    must_not_be_joinable("is assigned to");
    task_ = std::exchange(other.task_, std::nullopt);
    return *this;
  }
  ~Thread() { must_not_be_joinable("is destroyed"); }

  bool joinable() const noexcept { return task_.has_value(); }
  void join() {
    if (Scheduler* scheduler = Scheduler::current()) {
      if (!task_) scheduler->fail("joins a thread that is not joinable");
      if (*task_ == scheduler->running()) scheduler->fail("a thread joins itself");
      scheduler->join(*task_);
    }
    task_.reset();
  }
  void detach() noexcept { task_.reset(); }
  void swap(Thread& other) noexcept { task_.swap(other.task_); }

  /// The task's number: the body is 0, the first thread is 1.
  using id = int;
  id get_id() const noexcept { return task_ ? *task_ : -1; }

 private:
  void must_not_be_joinable(const char* what) const {
    if (!task_) return;
    if (Scheduler* scheduler = Scheduler::current())
      scheduler->fail("the thread of task " + std::to_string(*task_) + ' ' + what +
                      " while it is joinable");
  }

  std::optional<TaskNumber> task_;
};

struct Sync {
  using Mutex = lockstep::Mutex;
  using SharedMutex = lockstep::SharedMutex;
  using Condition = lockstep::Condition;
  template <std::ptrdiff_t most = std::numeric_limits<std::ptrdiff_t>::max()>
  using Semaphore = lockstep::Semaphore<most>;
  template <class T>
  using Atomic = lockstep::Atomic<T>;
  using Thread = lockstep::Thread;
  using Clock = lockstep::Clock;

  static constexpr std::size_t thread_slots = 4;

  static std::uint64_t random() noexcept {
    Scheduler* scheduler = Scheduler::current();
    return scheduler == nullptr ? 0 : scheduler->random();
  }
  static std::size_t thread_index() noexcept {
    const Scheduler* scheduler = Scheduler::current();
    return scheduler == nullptr ? 0 : scheduler->index_of_running();
  }
  static void fence(std::memory_order order) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    scheduler->point(Operation::fence, 0);
    if (Memory* memory = scheduler->weak_memory()) memory->fence(scheduler->running(), order);
  }
  static void light_fence() noexcept {}
  static void heavy_fence() {
    if (Scheduler* scheduler = Scheduler::current()) scheduler->heavy_fence();
  }
  static void yield() {
    if (Scheduler* scheduler = Scheduler::current()) scheduler->yield();
  }
  static void sleep_until(Clock::time_point deadline) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler != nullptr && Clock::now() < deadline)
      scheduler->block(Operation::sleep, 0, deadline.time_since_epoch().count());
  }
};

}  // namespace weir::lockstep
