/// The Sync policy under lockstep: the same members as weir::StdSync, each operation a point.
///
/// Outside a schedule (before the body, after it, or with no explore() at all) every operation
/// takes effect at once, for one thread.
#pragma once
#include <bit>
#include <chrono>
#include <compare>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <weir/testing/lockstep/scheduler.hpp>

namespace weir::lockstep {

namespace detail {

/// A number that messages and traces show, and that is overwritten at destruction: a use after that
/// is found as long as the memory was not reused.
class ObjectNumber {
 public:
  ObjectNumber() noexcept {
    if (Scheduler* scheduler = Scheduler::current()) number_ = scheduler->new_object();
  }
  ~ObjectNumber() { number_ = Scheduler::destroyed; }
  ObjectNumber(const ObjectNumber&) = delete;
  ObjectNumber& operator=(const ObjectNumber&) = delete;
  operator std::uint32_t() const noexcept { return number_; }

 private:
  volatile std::uint32_t number_ = 0;  // volatile: the last store must not be optimised away
};

inline void point(Operation operation, std::uint32_t object) {
  if (Scheduler* scheduler = Scheduler::current()) scheduler->point(operation, object);
}

}  // namespace detail

/// Virtual time, zero at the beginning of every schedule. It passes only up to the next deadline
/// that a task waits for: when the strategy chooses so, at the latest when no task can continue.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept {
    const Scheduler* scheduler = Scheduler::current();
    return time_point(duration(scheduler == nullptr ? 0 : scheduler->now()));
  }
};

class Mutex {
 public:
  Mutex() = default;
  ~Mutex() {
    if (waiting_ == 0) return;
    if (Scheduler* scheduler = Scheduler::current())
      scheduler->fail("mutex #" + std::to_string(number_) +
                      " is destroyed while a task waits for it");
  }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    scheduler->point(Operation::lock, number_);
    scheduler->drain_running();
    take(*scheduler);
  }
  bool try_lock() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return true;
    scheduler->point(Operation::try_lock, number_);
    scheduler->drain_running();
    if (owner_ != unowned) return false;
    owner_ = scheduler->running();
    return true;
  }
  /// Not a point: a waiting task could not continue before it, and can from here.
  void unlock() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    if (owner_ != scheduler->running())
      scheduler->fail("unlocks mutex #" + std::to_string(number_) + " without holding it");
    scheduler->settle_stores();
    owner_ = unowned;
    scheduler->ready(std::exchange(waiting_, 0));
  }

 private:
  friend class Condition;
  static constexpr int unowned = -1;

  void take(Scheduler& scheduler) {
    if (owner_ == scheduler.running())
      scheduler.fail("locks mutex #" + std::to_string(number_) + ", which it holds already");
    while (owner_ != unowned) {
      waiting_ |= bit(scheduler.running());
      scheduler.block(Operation::wait_for_mutex, number_);
    }
    owner_ = scheduler.running();
  }

  detail::ObjectNumber number_;
  int owner_ = unowned;        // the number of a task
  std::uint64_t waiting_ = 0;  // tasks
};

/// No spurious wake-ups: a class must not need them, and they must not hide its bugs.
class Condition {
 public:
  Condition() = default;
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void notify_one() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    scheduler->point(Operation::notify_one, number_);
    scheduler->drain_running();
    if (waiting_ == 0) return scheduler->notified_without_waiter(number_);
    const TaskNumber task =
        nth_task(waiting_, scheduler->pick(static_cast<std::size_t>(std::popcount(waiting_))));
    waiting_ &= ~bit(task);
    scheduler->ready(bit(task));
  }
  void notify_all() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    scheduler->point(Operation::notify_all, number_);
    scheduler->drain_running();
    if (waiting_ == 0) return scheduler->notified_without_waiter(number_);
    scheduler->ready(std::exchange(waiting_, 0));
  }

  void wait(std::unique_lock<Mutex>& lock) { wait_for_notification(lock, std::nullopt); }
  template <class Predicate>
  void wait(std::unique_lock<Mutex>& lock, Predicate done) {
    while (!done()) wait(lock);
  }
  std::cv_status wait_until(std::unique_lock<Mutex>& lock, Clock::time_point deadline) {
    return wait_for_notification(lock, deadline.time_since_epoch().count())
               ? std::cv_status::no_timeout
               : std::cv_status::timeout;
  }
  template <class Predicate>
  bool wait_until(std::unique_lock<Mutex>& lock, Clock::time_point deadline, Predicate done) {
    while (!done())
      if (wait_until(lock, deadline) == std::cv_status::timeout) return done();
    return true;
  }
  template <class Rep, class Period>
  std::cv_status wait_for(std::unique_lock<Mutex>& lock, std::chrono::duration<Rep, Period> time) {
    return wait_until(lock, Clock::now() + std::chrono::ceil<Clock::duration>(time));
  }
  template <class Rep, class Period, class Predicate>
  bool wait_for(std::unique_lock<Mutex>& lock, std::chrono::duration<Rep, Period> time,
                Predicate done) {
    return wait_until(lock, Clock::now() + std::chrono::ceil<Clock::duration>(time),
                      std::move(done));
  }

 private:
  // True when it was notified, false when the deadline passed.
  bool wait_for_notification(std::unique_lock<Mutex>& lock, std::optional<std::int64_t> deadline) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return !deadline;
    Mutex& mutex = *lock.mutex();
    scheduler->point(Operation::wait, number_);
    if (deadline && *deadline <= scheduler->now()) return false;
    waiting_ |= bit(scheduler->running());
    mutex.unlock();
    const bool notified = scheduler->block(Operation::wait, number_, deadline);
    waiting_ &= ~bit(scheduler->running());
    mutex.take(*scheduler);
    return notified;
  }

  detail::ObjectNumber number_;
  std::uint64_t waiting_ = 0;  // tasks
};

/// As std::atomic. Every order is treated as sequentially consistent, but with
/// Options::store_buffers stores of a weaker one stay invisible to other tasks for a while.
template <class T>
class Atomic {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;

  Atomic() noexcept = default;
  Atomic(T value) noexcept : value_(value) {}
  ~Atomic() {
    // A store that is still buffered would be made to memory that is no longer this object's.
    if (Scheduler* scheduler = Scheduler::current()) scheduler->drain_all();
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order = std::memory_order_seq_cst) const {
    detail::point(Operation::load, number_);
    if constexpr (bufferable)
      if (Scheduler* scheduler = Scheduler::current(); scheduler && scheduler->buffers_stores())
        if (const Scheduler::Store* own = scheduler->last_store_to(this)) {
          T value;
          std::memcpy(static_cast<void*>(&value), own->value.data(), sizeof(T));
          return value;
        }
    return value_;
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) {
    detail::point(Operation::store, number_);
    if constexpr (bufferable)
      if (Scheduler* scheduler = Scheduler::current(); scheduler && scheduler->buffers_stores()) {
        if (order != std::memory_order_seq_cst) {
          Scheduler::Store pending{this, number_, &Atomic::apply, {}};
          std::memcpy(pending.value.data(), &value, sizeof(T));
          scheduler->buffer(pending);
          return;
        }
        scheduler->drain_running();
      }
    value_ = value;
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) {
    return change(Operation::exchange, [&](T) { return value; });
  }
  bool compare_exchange_strong(T& expected, T desired,
                               std::memory_order = std::memory_order_seq_cst) {
    detail::point(Operation::compare_exchange, number_);
    drain();
    if (std::memcmp(&value_, &expected, sizeof(T)) != 0) {
      expected = value_;
      return false;
    }
    value_ = desired;
    return true;
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                               std::memory_order) {
    return compare_exchange_strong(expected, desired, success);
  }
  bool compare_exchange_weak(T& expected, T desired,
                             std::memory_order order = std::memory_order_seq_cst) {
    return compare_exchange_strong(expected, desired, order);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order) {
    return compare_exchange_strong(expected, desired, success);
  }

  using difference_type = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;
  T fetch_add(difference_type by, std::memory_order = std::memory_order_seq_cst) {
    return change(Operation::fetch_add, [&](T old) { return static_cast<T>(old + by); });
  }
  T fetch_sub(difference_type by, std::memory_order = std::memory_order_seq_cst) {
    return change(Operation::fetch_sub, [&](T old) { return static_cast<T>(old - by); });
  }
  T fetch_and(T with, std::memory_order = std::memory_order_seq_cst) {
    return change(Operation::fetch_and, [&](T old) { return static_cast<T>(old & with); });
  }
  T fetch_or(T with, std::memory_order = std::memory_order_seq_cst) {
    return change(Operation::fetch_or, [&](T old) { return static_cast<T>(old | with); });
  }
  T fetch_xor(T with, std::memory_order = std::memory_order_seq_cst) {
    return change(Operation::fetch_xor, [&](T old) { return static_cast<T>(old ^ with); });
  }

  operator T() const { return load(); }
  T operator=(T value) {
    store(value);
    return value;
  }
  T operator++() { return static_cast<T>(fetch_add(1) + 1); }
  T operator++(int) { return fetch_add(1); }
  T operator--() { return static_cast<T>(fetch_sub(1) - 1); }
  T operator--(int) { return fetch_sub(1); }
  T operator+=(difference_type by) { return static_cast<T>(fetch_add(by) + by); }
  T operator-=(difference_type by) { return static_cast<T>(fetch_sub(by) - by); }

 private:
  static constexpr bool bufferable = sizeof(T) <= Scheduler::buffered_bytes_max;

  static void apply(void* atomic, const std::byte* value) {
    std::memcpy(static_cast<void*>(&static_cast<Atomic*>(atomic)->value_), value, sizeof(T));
  }
  void drain() {
    if (Scheduler* scheduler = Scheduler::current()) scheduler->drain_running();
  }
  template <class Change>
  T change(Operation operation, Change next) {
    detail::point(operation, number_);
    drain();
    const T old = value_;
    value_ = next(old);
    return old;
  }

  detail::ObjectNumber number_;
  T value_{};
};

/// As std::thread: a task of the schedule. Only within one.
class Thread {
 public:
  Thread() noexcept = default;
  template <class F, class... Arguments>
    requires(!std::is_same_v<std::remove_cvref_t<F>, Thread>)
  explicit Thread(F&& f, Arguments&&... arguments) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) std::terminate();  // there is no scheduler to run it
    scheduler->settle_stores();
    task_ = scheduler->spawn(
        [call = std::decay_t<F>(std::forward<F>(f)),
         ... values = std::decay_t<Arguments>(std::forward<Arguments>(arguments))]() mutable {
          std::invoke(std::move(call), std::move(values)...);
        });
  }
  Thread(Thread&& other) noexcept : task_(std::exchange(other.task_, std::nullopt)) {}
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
      scheduler->settle_stores();
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
  using Condition = lockstep::Condition;
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
  static void light_fence() noexcept {}
  static void heavy_fence() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    scheduler->point(Operation::heavy_fence, 0);
    scheduler->drain_all();
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
