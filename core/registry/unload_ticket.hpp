/// Reports when what a registry removed has been destroyed.
///
/// Threads: every member from any thread; each thread uses its own copy of a ticket.
///
/// Invariants: `held_` counts the entries whose module has not been destroyed, `visible_` those
/// that a reader which began before the commit may still find. An entry leaves `visible_` first.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include <weir/registry/epochs.hpp>

#include "base/assert.hpp"

namespace weir {

/// The state that the entries of one commit and its tickets share.
template <class Sync = StdSync>
class Unload {
 public:
  explicit Unload(std::size_t entries) : visible_(entries), held_(entries) {}

  void no_reader_left() noexcept {
    const std::size_t before = visible_.fetch_sub(1, std::memory_order_release);
    WEIR_ASSERT(before > 0);  // once for each entry
  }

  void destroyed() noexcept {
    // Release, with the acquire in done(): the module's end comes before a ticket reports it.
    const std::size_t before = held_.fetch_sub(1, std::memory_order_acq_rel);
    WEIR_ASSERT(before > 0);  // once for each entry
    if (before != 1) return;
    const std::scoped_lock lock(mutex_);  // not between a waiter's check and its sleep
    condition_.notify_all();
  }

  bool done() const noexcept { return held_.load(std::memory_order_acquire) == 0; }
  bool visible() const noexcept { return visible_.load(std::memory_order_acquire) != 0; }

  void wait_until(typename Sync::Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    condition_.wait_until(lock, deadline, [this] { return done(); });
  }

 private:
  typename Sync::template Atomic<std::size_t> visible_;
  typename Sync::template Atomic<std::size_t> held_;
  typename Sync::Mutex mutex_;
  typename Sync::Condition condition_;
};

/// Reports when the modules that a commit removed or replaced have been destroyed: no reader can
/// find one, no handle holds one, and each FlowModule has released its hold on the library.
///
/// Destruction does not depend on the ticket: the last handle destroys a module, on its own thread,
/// and a sweep destroys one that only readers could find. But sweeps come in batches; asking a
/// ticket sweeps now. It may outlive the registry. A default ticket, and that of a commit which
/// removed nothing, is ready.
template <class Sync = StdSync>
class BasicUnloadTicket {
 public:
  using TimePoint = typename Sync::Clock::time_point;

  BasicUnloadTicket() = default;
  BasicUnloadTicket(std::shared_ptr<Unload<Sync>> unload, std::shared_ptr<Epochs<Sync>> epochs)
      : unload_(std::move(unload)), epochs_(std::move(epochs)) {}

  /// Whether all of it has been destroyed; once true, always. First destroys what it can, on this
  /// thread, which may unload libraries. Cost: one load, or a membarrier while readers may find an
  /// entry.
  bool ready() const {
    if (!unload_ || unload_->done()) return true;
    if (unload_->visible()) epochs_->sweep();
    return unload_->done();
  }

  /// Waits until all of it has been destroyed; false when the deadline passed first. Not inside a
  /// read section of the same registry, and not while this thread holds one of the modules: it
  /// would wait for itself.
  bool wait_until(TimePoint deadline) const {
    while (!ready()) {
      const TimePoint now = Sync::Clock::now();
      if (now >= deadline) return false;
      // The end of a handle wakes this thread. The end of a section does not, so that readers do
      // not pay for waiters; hence the repeated checks.
      unload_->wait_until(unload_->visible() ? std::min(deadline, now + poll_interval) : deadline);
    }
    return true;
  }

 private:
  static constexpr std::chrono::milliseconds poll_interval{1};

  std::shared_ptr<Unload<Sync>> unload_;
  std::shared_ptr<Epochs<Sync>> epochs_;
};

using UnloadTicket = BasicUnloadTicket<StdSync>;

}  // namespace weir
