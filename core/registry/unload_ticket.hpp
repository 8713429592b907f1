/// When what a registry let go is really gone.
///
/// Threads: every member from any thread; a ticket is a value, each its thread's own.
///
/// Invariants: `held` counts the entries whose module has not been destroyed, `looked_at` those
/// that a reader who began before the commit may still find. An entry leaves `looked_at` first.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include <weir/registry/epochs.hpp>

namespace weir {

/// What the entries of one commit and its tickets share.
template <class Sync = StdSync>
class Unload {
 public:
  explicit Unload(std::size_t entries) : looked_at_(entries), held_(entries) {}

  void no_reader_left() noexcept { looked_at_.fetch_sub(1, std::memory_order_release); }

  void destroyed() noexcept {
    // Release, with the acquire in done(): the end of the module comes before the ticket's word.
    if (held_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::scoped_lock lock(mutex_);  // not between a waiter's look and its sleep
    condition_.notify_all();
  }

  bool done() const noexcept { return held_.load(std::memory_order_acquire) == 0; }
  bool looked_at() const noexcept { return looked_at_.load(std::memory_order_acquire) != 0; }

  void wait_until(typename Sync::Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    condition_.wait_until(lock, deadline, [this] { return done(); });
  }

 private:
  typename Sync::template Atomic<std::size_t> looked_at_;
  typename Sync::template Atomic<std::size_t> held_;
  typename Sync::Mutex mutex_;
  typename Sync::Condition condition_;
};

/// Says when the modules that a commit took out or replaced are gone: no reader looks at one, no
/// handle holds one, each FlowModule has been destroyed, and with it its hold on the library.
///
/// Gone nobody waits for: the last reader or handle to let go sees to it, on its own thread. But
/// readers that hold no handle are looked after in batches; asking a ticket looks after them now.
/// It may outlive the registry. A default one, and one of a commit that took nothing out, is ready.
template <class Sync = StdSync>
class BasicUnloadTicket {
 public:
  using TimePoint = typename Sync::Clock::time_point;

  BasicUnloadTicket() = default;
  BasicUnloadTicket(std::shared_ptr<Unload<Sync>> unload, std::shared_ptr<Epochs<Sync>> epochs)
      : unload_(std::move(unload)), epochs_(std::move(epochs)) {}

  /// Whether all is gone; once true, always. Whatever can go, goes before it answers, on this
  /// thread: the ends of libraries too. Cost: one load, or a membarrier while readers may look.
  bool ready() const {
    if (!unload_ || unload_->done()) return true;
    if (unload_->looked_at()) epochs_->sweep();
    return unload_->done();
  }

  /// Waits until all is gone; false when the deadline came first. Not inside a read section of the
  /// same registry, and not while this thread holds what it waits for: it would wait for itself.
  bool wait_until(TimePoint deadline) const {
    while (!ready()) {
      const TimePoint now = Sync::Clock::now();
      if (now >= deadline) return false;
      // A handle's end wakes us. A section's does not: it costs its reader nothing that we wait.
      unload_->wait_until(unload_->looked_at() ? std::min(deadline, now + look_again) : deadline);
    }
    return true;
  }

 private:
  static constexpr std::chrono::milliseconds look_again{1};

  std::shared_ptr<Unload<Sync>> unload_;
  std::shared_ptr<Epochs<Sync>> epochs_;
};

using UnloadTicket = BasicUnloadTicket<StdSync>;

}  // namespace weir
