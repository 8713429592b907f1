/// Threads: the worker's loop calls start(), withdraw(), take_finished(), abandon() and close(), a
/// thread of the slots serve(), and release() and completed() any thread of a plugin. `mutex_` guards
/// everything.
///
/// Invariants:
/// - Every attempt given to start() is returned once, by take_finished() or by withdraw(), in whatever
///   order its handler returns and its call is completed, is abandoned and close() is called; unless its
///   handler never returns, its deferred call is never completed, or it still waited when close() was
///   called.
/// - An attempt occupies a slot from when a thread takes it until its handler returns or is abandoned.
/// - Once close() has returned, every deferred call has been completed or is over.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <weir/sync.hpp>

namespace weir {

/// Which attempts wait for a slot, run, are pending or finished, and how many threads serve them.
template <class Attempt, class Sync = StdSync>
class SlotBook {
 public:
  using Pointer = std::shared_ptr<Attempt>;
  using Held = std::vector<std::shared_ptr<const void>>;

  struct Calls {
    /// Called on any thread when take_finished() has attempts after it had none, and when a call
    /// becomes pending and nothing waits for its slot; but not after close(). Must be quick and must
    /// not call this object.
    std::function<void()> on_finished;
    /// The attempt's deferred call is over, unless it is completed. Must not call this object.
    std::function<void(const Attempt&)> end;
  };

  /// `threads` are about to serve().
  SlotBook(std::size_t threads, Calls calls) : calls_(std::move(calls)), alive_(threads) {}

  void start(std::vector<Pointer> attempts) {
    std::size_t wanted = 0;
    {
      const std::lock_guard lock(mutex_);
      wanted = std::min(attempts.size(), idle_);
      std::ranges::move(attempts, std::back_inserter(waiting_));
    }
    for (; wanted > 0; --wanted) changed_.notify_one();
  }

  /// What `take` gives of those that wait.
  template <class Take>
  std::vector<Pointer> withdraw(Take&& take) {
    const std::lock_guard lock(mutex_);
    return std::forward<Take>(take)(waiting_);
  }

  /// Also destroys what completed calls had acquired.
  std::vector<Pointer> take_finished() {
    Held released;  // destroyed outside the lock
    const std::lock_guard lock(mutex_);
    released.swap(released_);
    return std::exchange(finished_, {});
  }

  /// Serves on thread number `thread` until close(), or until another thread has its slot: then calls
  /// `leave` with the lock held. `run` runs an attempt's handler; true: the call is pending.
  template <class Run, class Leave>
  void serve(std::size_t thread, Run&& run, Leave&& leave) {
    std::unique_lock lock(mutex_);
    for (bool serves = true; serves;) {
      ++idle_;
      changed_.wait(lock, [&] { return closing_ || !waiting_.empty(); });
      --idle_;
      if (closing_) break;
      Pointer attempt = std::move(waiting_.front());
      waiting_.pop_front();
      begun_.emplace(attempt.get(), Begun{.thread = thread});
      lock.unlock();
      const bool pends = run(attempt);
      lock.lock();
      serves = returned(std::move(attempt), pends);
    }
    leave();
    ends();
  }

  /// In place of serve(): so many threads cannot serve; if `lost`, their slots are lost.
  void cannot_serve(std::size_t threads, bool lost) {
    const std::lock_guard lock(mutex_);
    if (lost) lost_ += threads;
    for (; threads > 0; --threads) ends();
  }

  /// What a completed call had acquired: take_finished() destroys it.
  void release(Held held) {
    const std::lock_guard lock(mutex_);
    std::ranges::move(held, std::back_inserter(released_));
  }

  /// The call of a pending attempt was completed, or that of one whose handler is about to return.
  void completed(Pointer attempt) {
    const std::lock_guard lock(mutex_);
    if (const auto found = begun_.find(attempt.get()); found != begun_.end()) {
      if (!found->second.is_pending) {
        found->second.is_completed = true;
        return;
      }
      begun_.erase(found);
      --pending_;
    }
    finish(std::move(attempt));
    if (closing_) changed_.notify_all();
  }

  struct Threads {
    std::size_t alive = 0;
    std::size_t abandoned = 0;  ///< handlers, which keep their threads
    std::size_t lost = 0;       ///< slots without a thread
  };
  /// The attempt is over. If its handler runs, `replace` is called, with the lock held, with the number
  /// of its thread and with what will be if it cannot start another thread, which it tells.
  template <class Replace>
  void abandon(const Attempt& attempt, Replace&& replace) {
    const std::lock_guard lock(mutex_);
    const auto found = begun_.find(&attempt);
    if (found == begun_.end()) return;  // it has just finished
    if (found->second.is_pending) {
      calls_.end(attempt);
      begun_.erase(found);  // it is finished when it is completed, and may be about to be
      --pending_;
      return;
    }
    if (closing_ || std::exchange(found->second.is_abandoned, true)) return;
    ++abandoned_;
    if (replace(found->second.thread,
                Threads{.alive = alive_, .abandoned = abandoned_, .lost = lost_ + 1}))
      ++alive_;
    else
      ++lost_;
  }

  /// Ends the threads, and waits for them and for calls that are pending, at most `patience`; these are
  /// over then. Returns how many of both there were still.
  std::size_t close(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    closing_ = true;
    waiting_.clear();
    changed_.notify_all();
    changed_.wait_for(lock, patience, [&] { return alive_ == 0 && pending_ == 0; });
    closed_ = true;
    const std::size_t left = alive_ + pending_;
    std::erase_if(begun_, [&](const auto& each) {
      if (!each.second.is_pending) return false;
      calls_.end(*each.first);
      return true;
    });
    pending_ = 0;
    return left;
  }

  std::size_t lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }
  std::size_t pending() const {
    const std::lock_guard lock(mutex_);
    return pending_;
  }

 private:
  struct Begun {
    std::size_t thread = 0;
    bool is_abandoned = false;  // its handler occupies no slot
    bool is_pending = false;    // its handler has returned
    bool is_completed = false;  // before this knew that its handler has returned
  };

  // With the mutex held, as the rest. Whether the thread goes on.
  bool returned(Pointer attempt, bool pends) {
    const auto found = begun_.find(attempt.get());
    const Begun begun = found->second;
    bool serves = true;
    if (begun.is_abandoned) {
      --abandoned_;
      serves = lost_ > 0;  // another thread has its slot, unless one is lost
      if (serves) --lost_;
    }
    if (!pends || begun.is_completed) {
      begun_.erase(found);
      finish(std::move(attempt));
    } else if (begun.is_abandoned || closed_) {
      calls_.end(*attempt);
      begun_.erase(found);
    } else {
      found->second = {.is_pending = true};
      ++pending_;
      if (!closing_ && waiting_.empty()) calls_.on_finished();
    }
    return serves;
  }

  // Never told after close(). With those before it, it was told already.
  void finish(Pointer attempt) {
    finished_.push_back(std::move(attempt));
    if (!closing_ && finished_.size() == 1) calls_.on_finished();
  }

  void ends() {
    --alive_;
    changed_.notify_all();
  }

  const Calls calls_;
  mutable typename Sync::Mutex mutex_;
  typename Sync::Condition
      changed_;  // an attempt waits, closing, a thread ended or a call was completed
  std::deque<Pointer> waiting_;
  std::vector<Pointer> finished_;
  Held released_;                                    // by deferred calls, until the loop comes
  std::unordered_map<const Attempt*, Begun> begun_;  // and neither finished nor over and pending
  bool closing_ = false, closed_ = false;
  std::size_t pending_ = 0;    // of begun_
  std::size_t abandoned_ = 0;  // of begun_
  std::size_t alive_;          // threads
  std::size_t idle_ = 0;       // those of them that wait
  std::size_t lost_ = 0;       // slots without a thread: count + abandoned_ - alive_
};

}  // namespace weir
