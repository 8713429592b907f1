/// A listener of a KeyedRegistry, from when it is added until it ends.
///
/// Threads: every member may be called from any thread.
///
/// Invariants:
/// - Once it has ended no call of it begins.
/// - The function is destroyed with no lock held: by end(), or by the last call that was in progress.
#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace weir::keyed {

template <class Change, class Sync>
class Listening {
 public:
  using Listener = std::function<void(const Change&)>;

  /// It is called on at most `callers_max` threads at the same time.
  Listening(Listener listener, std::size_t callers_max) : listener_(std::move(listener)) {
    callers_.reserve(callers_max);
  }

  /// Calls the listener; returns false when it has ended.
  bool tell(const Change& change) noexcept {
    const std::size_t thread = Sync::thread_index();
    {
      const std::scoped_lock lock(mutex_);
      if (has_ended_) return false;
      callers_.push_back(thread);
    }
    listener_(change);
    Listener unused;
    const std::scoped_lock lock(mutex_);
    callers_.erase(std::ranges::find(callers_, thread));
    if (!has_ended_) return true;
    if (callers_.empty()) unused.swap(listener_);
    returned_.notify_all();
    return false;
  }

  /// Waits for the calls in progress, except when this thread is in one.
  void end() noexcept {
    Listener unused;
    std::unique_lock lock(mutex_);
    has_ended_ = true;
    if (std::ranges::find(callers_, Sync::thread_index()) != callers_.end()) return;
    returned_.wait(lock, [&] { return callers_.empty(); });
    unused.swap(listener_);
  }

  bool has_ended() const {
    const std::scoped_lock lock(mutex_);
    return has_ended_;
  }

 private:
  Listener listener_;
  mutable typename Sync::Mutex mutex_;
  typename Sync::Condition returned_;  // a call returned after it has ended
  bool has_ended_ = false;             // guarded by mutex_, as what follows
  std::vector<std::size_t> callers_;   // the threads that are in a call
};

}  // namespace weir::keyed
