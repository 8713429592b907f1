#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/retry_log.hpp"
#include "base/time.hpp"
#include "store/worker_store.hpp"
#include "worker/run_book.hpp"

namespace weir {

/// Starts the child runs of flow steps (C8), many with one call. Belongs to the worker's loop.
///
/// Invariant: a parent that a transaction of somebody else has locked delays only its own child
/// runs.
class ChildRuns {
 public:
  /// What the loop contributes.
  struct Callbacks {
    std::function<bool(const OwnedRun&)> is_held;
    std::function<void(RunKey, OwnedRun&, std::size_t step)> started;
    std::function<void(RunKey, OwnedRun&, const ReadyTask&, AttemptResult)> failed;
  };

  ChildRuns(WorkerStore& store, Log& log)
      : store_(store),
        starting_(log, "cannot start child runs", "child runs can be started again") {}

  /// Announces that some run has child runs to start.
  void request() noexcept { due_ = true; }

  /// How many are started with one call, and how many bytes of input; the others follow in the
  /// next turn, after an exchange if one is due.
  static constexpr std::size_t count_max = 100, bytes_max = 4 * 1024 * 1024;

  /// Starts child runs that are due, and renews the lease. To be called only while no row is
  /// uncommitted that they could depend on (P1). When the database is away, it starts them later.
  /// Errors: lease_lost.
  Result<void> start(WorkerId worker, std::chrono::milliseconds lease, Steady now, RunBook& runs,
                     const Callbacks& callbacks);

  /// When start() has something to do; nullopt: not before request().
  std::optional<Steady> due_at() const;

  /// The result of a flow step's attempt, from the end of its child run.
  static AttemptResult result_of(const ChildRunEnd& end, std::string_view flow);

 private:
  struct Start {
    OwnedRun* parent;
    ReadyTask task;
  };
  struct Batch {
    std::vector<Start> starts;
    std::vector<ChildStart> requested;  ///< in the same order
  };
  Batch take(Steady now, RunBook& runs, const Callbacks& callbacks);

  WorkerStore& store_;
  RetryLog starting_;
  bool due_ = false;
  Steady retry_at_{};
  std::map<RunKey, Steady> busy_until_;  ///< parents that were locked
};

}  // namespace weir
