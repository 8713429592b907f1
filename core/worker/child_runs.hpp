#pragma once
#include <functional>

#include "base/log.hpp"
#include "base/time.hpp"
#include "store/worker_store.hpp"
#include "worker/run_book.hpp"

namespace weir {

/// Starts the child runs of flow steps (C8). Belongs to the worker's loop.
class ChildRuns {
 public:
  /// What the loop contributes.
  struct Callbacks {
    std::function<bool(const OwnedRun&)> is_held;
    std::function<void(RunKey, OwnedRun&, std::size_t step)> started;
    std::function<void(RunKey, OwnedRun&, const ReadyTask&, AttemptResult)> failed;
  };

  ChildRuns(WorkerStore& store, Log& log) : store_(store), log_(log) {}

  /// Announces that some run has child runs to start.
  void request() noexcept { due_ = true; }

  /// Starts all child runs that are due. To be called only while no row is uncommitted that they
  /// could depend on (P1). When the database is away, it starts them later. Errors: lease_lost.
  Result<void> start(WorkerId worker, Steady now, RunBook& runs, const Callbacks& callbacks);

  /// When start() has something to do; nullopt: not before request().
  std::optional<Steady> due_at() const { return due_ ? std::optional(retry_at_) : std::nullopt; }

  /// The result of a flow step's attempt, from the end of its child run.
  static AttemptResult result_of(const ChildRunEnd& end, std::string_view flow);

 private:
  Result<void> start_of(WorkerId worker, RunKey key, OwnedRun& run, const Callbacks& callbacks);

  WorkerStore& store_;
  Log& log_;
  bool due_ = false;
  Steady retry_at_{};
};

}  // namespace weir
