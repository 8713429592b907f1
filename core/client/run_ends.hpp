/// Who waits for the end of which run, and the one who asks the database for all of them.
///
/// Threads: every member may be called from any thread. `ask` is called on one thread of its own,
/// that lives from the first wait on.
///
/// Invariants:
/// - Who waits for a run stands under its id in a KeyedRegistry, from wait_for() on until the Wait
/// ends.
/// - While anybody stands there, the database is asked again and again for all of them at once:
/// soon
///   after somebody came, then more and more seldom.
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

/// How often the database is asked, and for how long it may be away.
struct RunEndsPace {
  std::chrono::milliseconds pause_first{20};
  std::chrono::milliseconds pause_longest{250};
  std::chrono::milliseconds away_longest{10'000};
};

/// Hears of the ends of runs on one session, and tells any number of threads that wait for them.
template <class Sync = StdSync>
class RunEnds {
  using Time = typename Sync::Clock::time_point;

  // What a waiting thread and the asking one share. The registry's value: so a dispatch that began
  // before the wait ended still finds it.
  struct Waiter {
    typename Sync::Mutex mutex;
    typename Sync::Condition told;
    bool ended = false;             // guarded by mutex, as what follows
    std::optional<Error> failed{};  // nobody knows, and nobody will
  };
  using Waiters = KeyedRegistry<std::string, std::shared_ptr<Waiter>, Sync>;

 public:
  /// Those of these runs that are over, or are not there at all.
  using Ask = std::function<Result<std::vector<std::string>>(const std::vector<std::string>&)>;

  explicit RunEnds(Ask ask, RunEndsPace pace = {}) : ask_(std::move(ask)), pace_(pace) {}

  /// Every Wait has ended.
  ~RunEnds() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (asking_) asking_->join();
  }
  RunEnds(const RunEnds&) = delete;
  RunEnds& operator=(const RunEnds&) = delete;

  /// A thread's place among those who wait for a run.  [one thread]
  class Wait {
   public:
    /// Returns true once the run is over, false at `until`. Errors: that of the last question, when
    /// the database has been away for too long, or refused it.
    Result<bool> until(Time until) {
      std::unique_lock lock(waiter_->mutex);
      waiter_->told.wait_until(lock, until, [&] { return waiter_->ended || waiter_->failed; });
      if (waiter_->failed && !waiter_->ended) return std::unexpected(*waiter_->failed);
      return waiter_->ended;
    }

    /// Returns once the run is over. Errors as until().
    Result<void> until_over() {
      std::unique_lock lock(waiter_->mutex);
      waiter_->told.wait(lock, [&] { return waiter_->ended || waiter_->failed; });
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

  /// From now on the end of `run` is told, also when it came before. The id must be a UUID.
  Wait wait_for(const std::string& run) {
    auto waiter = std::make_shared<Waiter>();
    auto owner = waiters_.owner("a wait for run " + run, waiter);
    const auto entered = waiters_.register_(owner, run);
    WEIR_ASSERT(entered.has_value());  // a new owner, under a duplicate key
    {
      const std::scoped_lock lock(mutex_);
      came_ = true;
      if (!asking_) asking_.emplace([this] { ask_on(); });
    }
    changed_.notify_all();
    return Wait(std::move(waiter), std::move(owner));
  }

  /// How many threads wait.
  std::size_t waiting() const { return waiters_.count(); }

 private:
  // The asking thread.
  void ask_on() {
    auto pause = pace_.pause_first;
    Time answered = Sync::Clock::now();
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (std::exchange(came_, false)) pause = pace_.pause_first;
      if (waiters_.count() == 0) {
        changed_.wait(lock, [&] { return stopping_ || came_; });
        answered = Sync::Clock::now();
        continue;
      }
      lock.unlock();
      ask_once(answered);
      lock.lock();
      changed_.wait_for(lock, pause, [&] { return stopping_ || came_; });
      pause = std::min(pause * 5 / 4, pace_.pause_longest);
    }
  }

  void ask_once(Time& answered) {
    std::vector<std::string> runs;
    waiters_.each([&](const std::string& run, const auto&) { runs.push_back(run); });
    std::ranges::sort(runs);
    runs.erase(std::ranges::unique(runs).begin(), runs.end());
    if (runs.empty()) return;

    const auto over = ask_(runs);
    const Time now = Sync::Clock::now();
    if (over) {
      answered = now;
      for (const std::string& run : *over)
        waiters_.dispatch(run, [](const auto& view) { tell(*view.value, std::nullopt); });
    } else if (over.error().code != ErrorCode::unavailable || now - answered > pace_.away_longest) {
      waiters_.each([&](const std::string&, const auto& view) { tell(*view.value, over.error()); });
    }
  }

  static void tell(Waiter& waiter, const std::optional<Error>& failed) {
    {
      const std::scoped_lock lock(waiter.mutex);
      if (failed)
        waiter.failed = failed;
      else
        waiter.ended = true;
    }
    waiter.told.notify_all();
  }

  const Ask ask_;
  const RunEndsPace pace_;
  Waiters waiters_{{.keys = Keys::duplicate, .name = "waits for runs"}};
  typename Sync::Mutex mutex_;
  typename Sync::Condition changed_;  // somebody came, or all ends
  bool came_ = false;                 // guarded by mutex_, as what follows
  bool stopping_ = false;
  std::optional<typename Sync::Thread> asking_;
};

}  // namespace weir
