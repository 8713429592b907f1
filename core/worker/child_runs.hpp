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
  /// What the loop does about it.
  struct Calls {
    std::function<bool(const OwnedRun&)> is_held;
    std::function<void(RunKey, OwnedRun&, std::size_t step)> started;
    std::function<void(RunKey, OwnedRun&, const ReadyTask&, AttemptResult)> failed;
  };

  ChildRuns(WorkerStore& store, Log& log) : store_(store), log_(log) {}

  /// Some run has children to be started.
  void call() noexcept { due_ = true; }

  /// Starts all that are due: only while nothing is unsaid that they could build on (P1). When the
  /// database is away, later. Errors: lease_lost.
  Result<void> start(WorkerId worker, Steady now, RunBook& runs, const Calls& calls);

  /// When start() has something to do; nullopt: when called.
  std::optional<Steady> due_at() const { return due_ ? std::optional(again_at_) : std::nullopt; }

  /// How the attempt of the flow step ended, whose child did.
  static AttemptResult result_of(const ChildRunEnd& end, std::string_view flow);

 private:
  Result<void> start_of(WorkerId worker, RunKey key, OwnedRun& run, const Calls& calls);

  WorkerStore& store_;
  Log& log_;
  bool due_ = false;
  Steady again_at_{};
};

}  // namespace weir
