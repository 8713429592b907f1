/// Which threads wait for the end of which run, and one thread that polls the database for all.
///
/// Threads: every member may be called from any thread. `poll` is called on one thread of its own,
/// which lives from the first wait on.
///
/// Invariants:
/// - A waiting thread is registered under the run's id in a KeyedRegistry, from wait_for() until
///   the Wait is destroyed.
/// - While there is one, the database is polled for all of them with one query: soon after a new
///   one was added, then at growing intervals.
#pragma once
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/registry/keyed_registry.hpp>
#include <weir/sync.hpp>

#include "base/assert.hpp"
#include "base/error.hpp"

namespace weir {

/// The intervals at which the database is polled, and for how long it may be away.
struct RunEndsPace {
  std::chrono::milliseconds pause_first{20};
  std::chrono::milliseconds pause_longest{250};
  std::chrono::milliseconds away_longest{10'000};
};

/// Detects the ends of runs on one session, and notifies any number of threads that wait for them.
template <class Sync = StdSync>
class RunEnds {
  using Time = typename Sync::Clock::time_point;

  // Shared by a waiting thread and the polling thread. It is the registry's value, so that a
  // dispatch that began before the wait ended can still use it.
  struct Waiter {
    typename Sync::Mutex mutex;
    typename Sync::Condition changed;
    bool ended = false;             // guarded by mutex, and so is failed
    std::optional<Error> failed{};  // polling failed for good
  };
  using Waiters = KeyedRegistry<std::string, std::shared_ptr<Waiter>, Sync>;

 public:
  /// Returns those of these runs that are over or that do not exist.
  using Poll = std::function<Result<std::vector<std::string>>(const std::vector<std::string>&)>;

  explicit RunEnds(Poll poll, RunEndsPace pace = {}) : poll_(std::move(poll)), pace_(pace) {}

  /// Every Wait must have been destroyed.
  ~RunEnds() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (poll_thread_) poll_thread_->join();
  }
  RunEnds(const RunEnds&) = delete;
  RunEnds& operator=(const RunEnds&) = delete;

  /// Registers a thread that waits for a run, while it lives.  [one thread]
  class Wait {
   public:
    /// Returns true once the run is over, false at `until`. Errors: that of the last query, when
    /// the database has been away for too long, or refused the query.
    Result<bool> until(Time until) {
      std::unique_lock lock(waiter_->mutex);
      waiter_->changed.wait_until(lock, until, [&] { return waiter_->ended || waiter_->failed; });
      if (waiter_->failed && !waiter_->ended) return std::unexpected(*waiter_->failed);
      return waiter_->ended;
    }

    /// Returns once the run is over. Errors as until().
    Result<void> until_over() {
      std::unique_lock lock(waiter_->mutex);
      waiter_->changed.wait(lock, [&] { return waiter_->ended || waiter_->failed; });
      if (!waiter_->ended) return std::unexpected(*waiter_->failed);
      return {};
    }

   private:
    friend RunEnds;
    Wait(std::shared_ptr<Waiter> waiter, typename Waiters::Owner owner)
        : waiter_(std::move(waiter)), owner_(std::move(owner)) {}
    std::shared_ptr<Waiter> waiter_;
    typename Waiters::Owner owner_;
  };

  /// Waits for the end of `run` from now on; it may have ended before. The id must be a UUID.
  Wait wait_for(const std::string& run) {
    auto waiter = std::make_shared<Waiter>();
    auto owner = waiters_.owner("a wait for run " + run, waiter);
    const auto entered = waiters_.register_(owner, run);
    WEIR_ASSERT(entered.has_value());  // a new owner, and duplicate keys are allowed
    {
      const std::scoped_lock lock(mutex_);
      added_ = true;
      if (!poll_thread_) poll_thread_.emplace([this] { poll_loop(); });
    }
    changed_.notify_all();
    return Wait(std::move(waiter), std::move(owner));
  }

  /// How many threads wait.
  std::size_t waiting() const { return waiters_.count(); }

 private:
  // The polling thread.
  void poll_loop() {
    auto pause = pace_.pause_first;
    Time answered = Sync::Clock::now();
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (std::exchange(added_, false)) pause = pace_.pause_first;
      if (waiters_.count() == 0) {
        changed_.wait(lock, [&] { return stopping_ || added_; });
        answered = Sync::Clock::now();
        continue;
      }
      lock.unlock();
      poll_once(answered);
      lock.lock();
      changed_.wait_for(lock, pause, [&] { return stopping_ || added_; });
      pause = std::min(pause * 5 / 4, pace_.pause_longest);
    }
  }

  void poll_once(Time& answered) {
    std::vector<std::string> runs;
    waiters_.each([&](const std::string& run, const auto&) { runs.push_back(run); });
    std::ranges::sort(runs);
    runs.erase(std::ranges::unique(runs).begin(), runs.end());
    if (runs.empty()) return;

    const auto over = poll_(runs);
    const Time now = Sync::Clock::now();
    if (over) {
      answered = now;
      for (const std::string& run : *over)
        waiters_.dispatch(run, [](const auto& view) { notify(*view.value, std::nullopt); });
    } else if (over.error().code != ErrorCode::unavailable || now - answered > pace_.away_longest) {
      waiters_.each(
          [&](const std::string&, const auto& view) { notify(*view.value, over.error()); });
    }
  }

  static void notify(Waiter& waiter, const std::optional<Error>& failed) {
    {
      const std::scoped_lock lock(waiter.mutex);
      if (failed)
        waiter.failed = failed;
      else
        waiter.ended = true;
    }
    waiter.changed.notify_all();
  }

  const Poll poll_;
  const RunEndsPace pace_;
  Waiters waiters_{{.keys = Keys::duplicate, .name = "waits for runs"}};
  typename Sync::Mutex mutex_;
  typename Sync::Condition changed_;  // a wait was added, or stopping
  bool added_ = false;                // guarded by mutex_, and so are the members below
  bool stopping_ = false;
  std::optional<typename Sync::Thread> poll_thread_;
};

}  // namespace weir
