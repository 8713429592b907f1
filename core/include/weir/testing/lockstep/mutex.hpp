/// Mutexes, conditions and semaphores under lockstep: each operation is a point.
#pragma once
#include <bit>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <weir/testing/lockstep/object.hpp>

namespace weir::lockstep {

namespace detail {

inline bool fails_spuriously(Scheduler& scheduler) {
  if (!scheduler.spurious()) return false;
  scheduler.note(Operation::spurious_failure, 0);
  return true;
}

}  // namespace detail

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
    take(*scheduler);
  }
  bool try_lock() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return true;
    scheduler->point(Operation::try_lock, number_);
    if (owner_ != unowned || detail::fails_spuriously(*scheduler)) return false;
    own(*scheduler);
    return true;
  }
  /// Not a point: a waiting task could not continue before it, and can from here.
  void unlock() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    if (owner_ != scheduler->running())
      scheduler->fail("unlocks mutex #" + std::to_string(number_) + " without holding it");
    owner_ = unowned;
    if (Memory* memory = scheduler->weak_memory()) memory->release(scheduler->running(), seen_);
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
    own(scheduler);
  }
  void own(Scheduler& scheduler) {
    owner_ = scheduler.running();
    if (Memory* memory = scheduler.weak_memory()) memory->acquire(scheduler.running(), seen_);
  }

  detail::ObjectNumber number_;
  int owner_ = unowned;        // the number of a task
  std::uint64_t waiting_ = 0;  // tasks
  View seen_;                  // by those that have held it
};

/// As std::shared_mutex. No task is preferred: writers may starve.
class SharedMutex {
 public:
  SharedMutex() = default;
  ~SharedMutex() {
    if (waiting_ == 0) return;
    if (Scheduler* scheduler = Scheduler::current())
      scheduler->fail("mutex #" + std::to_string(number_) +
                      " is destroyed while a task waits for it");
  }
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  void lock() { wait_until_taken(Operation::lock); }
  bool try_lock() { return try_taken(Operation::try_lock); }
  void lock_shared() { wait_until_taken(Operation::lock_shared); }
  bool try_lock_shared() { return try_taken(Operation::try_lock_shared); }

  // Not points, for the reason that Mutex::unlock() is none.
  void unlock() { leave(writer_, written_); }
  void unlock_shared() { leave(readers_, read_); }

 private:
  static bool is_shared(Operation operation) noexcept {
    return operation == Operation::lock_shared || operation == Operation::try_lock_shared;
  }

  bool take(Scheduler& scheduler, Operation operation) {
    const std::uint64_t me = bit(scheduler.running());
    if (((writer_ | readers_) & me) != 0)
      scheduler.fail(std::string(name(operation)) + " of mutex #" + std::to_string(number_) +
                     ", which it holds already");
    const bool shared = is_shared(operation);
    if (writer_ != 0 || (!shared && readers_ != 0)) return false;
    if (operation != Operation::lock && operation != Operation::lock_shared &&
        detail::fails_spuriously(scheduler))
      return false;
    (shared ? readers_ : writer_) |= me;
    if (Memory* memory = scheduler.weak_memory()) {
      memory->acquire(scheduler.running(), written_);
      if (!shared) memory->acquire(scheduler.running(), read_);
    }
    return true;
  }
  void wait_until_taken(Operation operation) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    scheduler->point(operation, number_);
    while (!take(*scheduler, operation))
      scheduler->block(Operation::wait_for_mutex, number_, std::nullopt, &waiting_);
  }
  bool try_taken(Operation operation) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return true;
    scheduler->point(operation, number_);
    return take(*scheduler, operation);
  }
  void leave(std::uint64_t& holders, View& seen) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    if ((holders & bit(scheduler->running())) == 0)
      scheduler->fail("unlocks mutex #" + std::to_string(number_) + " without holding it");
    holders &= ~bit(scheduler->running());
    if (Memory* memory = scheduler->weak_memory()) memory->release(scheduler->running(), seen);
    scheduler->ready(std::exchange(waiting_, 0));
  }

  detail::ObjectNumber number_;
  std::uint64_t writer_ = 0, readers_ = 0, waiting_ = 0;  // tasks
  View written_, read_;  // what writers and readers have seen: readers see nothing of each other
};

/// As std::condition_variable. A wait may end without a notification, as it may there.
class Condition {
 public:
  Condition() = default;
  ~Condition() {
    if (waiting_ == 0) return;
    if (Scheduler* scheduler = Scheduler::current())
      scheduler->fail("condition #" + std::to_string(number_) +
                      " is destroyed while a task waits on it");
  }
  Condition(const Condition&) = delete;
  Condition& operator=(const Condition&) = delete;

  void notify_one() {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    scheduler->point(Operation::notify_one, number_);
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
    if (waiting_ == 0) return scheduler->notified_without_waiter(number_);
    scheduler->ready(std::exchange(waiting_, 0));
  }

  void wait(std::unique_lock<Mutex>& lock) { wait_once(lock, std::nullopt); }
  template <class Predicate>
  void wait(std::unique_lock<Mutex>& lock, Predicate done) {
    while (!done()) wait(lock);
  }
  std::cv_status wait_until(std::unique_lock<Mutex>& lock, Clock::time_point deadline) {
    return wait_once(lock, deadline.time_since_epoch().count()) ? std::cv_status::no_timeout
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
  // False when the deadline passed.
  bool wait_once(std::unique_lock<Mutex>& lock, std::optional<std::int64_t> deadline) {
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return !deadline;
    Mutex& mutex = *lock.mutex();
    scheduler->point(Operation::wait, number_);
    if (deadline && *deadline <= scheduler->now()) return false;
    mutex.unlock();
    const bool in_time = scheduler->block(Operation::wait, number_, deadline, &waiting_);
    mutex.take(*scheduler);  // the condition may have ended meanwhile
    return in_time;
  }

  detail::ObjectNumber number_;
  std::uint64_t waiting_ = 0;  // tasks
};

/// As std::counting_semaphore.
template <std::ptrdiff_t most = std::numeric_limits<std::ptrdiff_t>::max()>
class Semaphore {
  static_assert(most >= 0);

 public:
  static constexpr std::ptrdiff_t max() noexcept { return most; }

  explicit Semaphore(std::ptrdiff_t count) : count_(count) {
    if (count < 0 || count > most) out_of_range();
  }
  ~Semaphore() {
    if (waiting_ == 0) return;
    if (Scheduler* scheduler = Scheduler::current())
      scheduler->fail("semaphore #" + std::to_string(number_) +
                      " is destroyed while a task waits for it");
  }
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  void release(std::ptrdiff_t by = 1) {
    detail::point(Operation::release, number_);
    if (by < 0 || by > most - count_) out_of_range();
    count_ += by;
    Scheduler* scheduler = Scheduler::current();
    if (scheduler == nullptr) return;
    if (Memory* memory = scheduler->weak_memory()) memory->release(scheduler->running(), seen_);
    scheduler->ready(std::exchange(waiting_, 0));
  }
  void acquire() { (void)acquired(Operation::acquire, std::nullopt); }
  bool try_acquire() {
    detail::point(Operation::try_acquire, number_);
    Scheduler* scheduler = Scheduler::current();
    if (count_ == 0 || (scheduler != nullptr && detail::fails_spuriously(*scheduler))) return false;
    take();
    return true;
  }
  bool try_acquire_until(Clock::time_point deadline) {
    return acquired(Operation::try_acquire, deadline.time_since_epoch().count());
  }
  template <class Rep, class Period>
  bool try_acquire_for(std::chrono::duration<Rep, Period> time) {
    return try_acquire_until(Clock::now() + std::chrono::ceil<Clock::duration>(time));
  }

 private:
  bool acquired(Operation operation, std::optional<std::int64_t> deadline) {
    detail::point(operation, number_);
    Scheduler* scheduler = Scheduler::current();
    while (count_ == 0) {
      if (scheduler == nullptr || (deadline && *deadline <= scheduler->now())) return false;
      scheduler->block(Operation::wait_for_semaphore, number_, deadline, &waiting_);
    }
    take();
    return true;
  }
  void take() {
    --count_;
    if (Scheduler* scheduler = Scheduler::current())
      if (Memory* memory = scheduler->weak_memory()) memory->acquire(scheduler->running(), seen_);
  }
  void out_of_range() const {
    const std::string what = "the count of semaphore #" + std::to_string(number_) +
                             " is not between 0 and " + std::to_string(most);
    if (Scheduler* scheduler = Scheduler::current()) scheduler->fail(what);
    throw std::logic_error(what);
  }

  detail::ObjectNumber number_;
  std::ptrdiff_t count_;
  std::uint64_t waiting_ = 0;  // tasks
  View seen_;                  // by those that have released it
};

}  // namespace weir::lockstep
