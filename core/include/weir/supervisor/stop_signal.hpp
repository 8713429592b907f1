/// A request to stop, as std::stop_token, but on the Sync policy, and a thread can sleep on it.
///
/// Threads: every member may be called from any thread.
#pragma once
#include <memory>
#include <mutex>

#include <weir/sync.hpp>

namespace weir {

/// For code that should stop, which checks it; all copies are of the same request.
///
///     while (!stop.wait_for(1s)) sweep();
template <class Sync = StdSync>
class BasicStopSignal {
 public:
  bool stop_requested() const noexcept {
    return shared_->requested.load(std::memory_order_acquire);  // pairs with the store in request()
  }

  /// Sleeps until a stop is requested.
  void wait() const {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait(lock, [this] { return stop_requested(); });
  }

  /// Sleeps until a stop is requested (true) or the time is over (false).
  template <class Duration>
  bool wait_for(Duration time) const {
    std::unique_lock lock(shared_->mutex);
    return shared_->changed.wait_for(lock, time, [this] { return stop_requested(); });
  }

 private:
  template <class>
  friend class BasicStopSource;

  struct Shared {
    typename Sync::Mutex mutex;
    typename Sync::Condition changed;
    typename Sync::template Atomic<bool> requested{false};
  };
  explicit BasicStopSignal(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
};

/// Makes the request.
template <class Sync = StdSync>
class BasicStopSource {
 public:
  BasicStopSignal<Sync> signal() const { return BasicStopSignal<Sync>(shared_); }

  /// May be called again.
  void request() const {
    {
      const std::scoped_lock lock(shared_->mutex);                // else a sleeper might miss it
      shared_->requested.store(true, std::memory_order_release);  // with stop_requested()
    }
    shared_->changed.notify_all();
  }

 private:
  using Shared = typename BasicStopSignal<Sync>::Shared;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

using StopSignal = BasicStopSignal<>;
using StopSource = BasicStopSource<>;

}  // namespace weir
