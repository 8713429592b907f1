/// Threads: every member may be called from any thread. A Waker belongs to the thread that waits.
///
/// Invariants:
/// - A waiter that registered its Waker before it checked cancelled() under its mutex misses no
///   cancel(): it either sees the flag, or sleeps already when cancel() takes that mutex.
/// - A Callback is called once if cancel() is called between its arm() and its end(), and is not running
///   when end() has returned, except in its own call.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include <weir/sync.hpp>

namespace weir {

/// Makes threads stop waiting. Once cancelled it stays so.
///
/// Lifetime: must outlive every wait that it was given to.
template <class Sync = StdSync>
class Cancellation {
 public:
  using Mutex = typename Sync::Mutex;
  using Condition = typename Sync::Condition;

  Cancellation() = default;
  ~Cancellation() { assert(wakers_.empty() && callbacks_.empty()); }
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  /// Cost: one relaxed load. Only a hint to stop: it publishes no data.  [any thread]
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

  /// Wakes every wait that this was given to. A second call does nothing.  [any thread, not one
  /// that holds the mutex of a Waker]
  void cancel() {
    if (cancelled_.exchange(true, std::memory_order_relaxed)) return;
    std::unique_lock lock(mutex_);
    for (const Waker* waker : wakers_) {
      {
        const std::scoped_lock waiter_lock(waker->mutex_);
      }  // orders the flag before the waiter's check
      waker->condition_.notify_all();
    }
    call(lock);
  }

  /// While it lives, cancel() wakes `condition`, on which its thread waits with `mutex`. Made and
  /// destroyed without that mutex held; does nothing for a null `source`.
  class Waker {
   public:
    Waker(Cancellation* source, Mutex& mutex, Condition& condition)
        : source_(source), mutex_(mutex), condition_(condition) {
      if (source_ == nullptr) return;
      const std::scoped_lock lock(source_->mutex_);
      source_->wakers_.push_back(this);
    }
    ~Waker() {
      if (source_ == nullptr) return;
      const std::scoped_lock lock(source_->mutex_);
      [[maybe_unused]] const std::size_t erased = std::erase(source_->wakers_, this);
      assert(erased == 1);
    }
    Waker(const Waker&) = delete;
    Waker& operator=(const Waker&) = delete;

   private:
    friend class Cancellation;
    Cancellation* source_;
    Mutex& mutex_;
    Condition& condition_;
  };

  /// Calls a function when cancel() is called, as std::stop_callback does: on the thread of cancel(),
  /// or of the constructor when it was called before. The function must be quick.
  class Callback {
   public:
    struct Unarmed {};

    Callback(Cancellation& source, std::function<void()> function)
        : Callback(source, std::move(function), Unarmed{}) {
      arm();
    }
    /// Is called only once it is armed, with arm().
    Callback(Cancellation& source, std::function<void()> function, Unarmed)
        : source_(source), function_(std::move(function)) {}
    ~Callback() {
      std::unique_lock lock(source_.mutex_);
      if (is_in_own_call()) *destroyed_ = true;
      end(lock);
    }

    /// At most once; on any thread while it lives. Does nothing after end().
    void arm() {
      std::unique_lock lock(source_.mutex_);
      if (stage_ != Stage::unarmed) return;
      stage_ = Stage::waits;
      source_.callbacks_.push_back(this);
      if (source_.cancelled()) source_.call(lock);
    }

    /// What its destructor does, while other threads may still arm it.
    void end() {
      std::unique_lock lock(source_.mutex_);
      end(lock);
    }
    Callback(const Callback&) = delete;
    Callback& operator=(const Callback&) = delete;

   private:
    friend class Cancellation;
    enum class Stage { unarmed, waits, running, ended };

    bool is_in_own_call() const {
      return stage_ == Stage::running && runner_ == Sync::thread_index();
    }
    void end(std::unique_lock<Mutex>& lock) {
      std::erase(source_.callbacks_, this);
      if (is_in_own_call()) return;
      if (stage_ == Stage::running) ended_.wait(lock, [this] { return stage_ == Stage::ended; });
      stage_ = Stage::ended;
    }

    Cancellation& source_;
    std::function<void()> function_;
    // Guarded by the source's mutex, as the rest.
    Stage stage_ = Stage::unarmed;
    std::size_t runner_ = 0;     ///< while it is running: the thread
    bool* destroyed_ = nullptr;  ///< while it is running: set when its own call destroys it
    Condition ended_;
  };

 private:
  // One after the other, outside the lock. A callback that is made meanwhile is called by whoever
  // comes first.
  void call(std::unique_lock<Mutex>& lock) {
    while (!callbacks_.empty()) {
      Callback& callback = *callbacks_.back();
      callbacks_.pop_back();
      bool destroyed = false;
      callback.stage_ = Callback::Stage::running;
      callback.runner_ = Sync::thread_index();
      callback.destroyed_ = &destroyed;
      const std::function<void()> function = std::move(callback.function_);
      lock.unlock();
      function();
      lock.lock();
      if (destroyed) continue;
      callback.stage_ = Callback::Stage::ended;
      callback.ended_.notify_all();
    }
  }

  // Relaxed everywhere: for sleeping waiters their mutex orders it, and for callbacks mutex_.
  typename Sync::template Atomic<bool> cancelled_{false};
  Mutex mutex_;  // guards wakers_ and callbacks_; taken before a Waker's own
  std::vector<Waker*> wakers_;
  std::vector<Callback*> callbacks_;
};

}  // namespace weir
