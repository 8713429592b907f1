/// Threads: every member may be called from any thread. A Waker belongs to the thread that waits.
///
/// Invariant: a waiter that registered its Waker before it checked cancelled() under its mutex
/// misses no cancel(): it either sees the flag, or sleeps already when cancel() takes that mutex.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <mutex>
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
  ~Cancellation() { assert(wakers_.empty()); }
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  /// Cost: one relaxed load. Only a hint to stop: it publishes no data.  [any thread]
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

  /// Wakes every wait that this was given to. A second call does nothing.  [any thread, not one
  /// that holds the mutex of a Waker]
  void cancel() {
    if (cancelled_.exchange(true, std::memory_order_relaxed)) return;
    const std::scoped_lock lock(mutex_);
    for (const Waker* waker : wakers_) {
      {
        const std::scoped_lock waiter_lock(waker->mutex_);
      }  // orders the flag before the waiter's check
      waker->condition_.notify_all();
    }
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

 private:
  // Relaxed everywhere: for sleeping waiters their mutex orders it.
  typename Sync::template Atomic<bool> cancelled_{false};
  Mutex mutex_;  // guards wakers_; taken before a Waker's own
  std::vector<Waker*> wakers_;
};

}  // namespace weir
