#pragma once
#include <cstddef>
#include <vector>

#include "store/worker_store.hpp"
#include "worker/run_book.hpp"
#include "worker/worker.hpp"

namespace weir {

/// Runs suspects in halves (F10): one half at a time and nothing beside it, so that a crash leaves
/// fewer suspects, at last a single one. Which they are after a crash is read from the flight
/// recorder, by the parent of the process. Used only by the worker's loop.
///
/// Invariant: a task of a run on trial becomes due only by turn().
class Trial {
 public:
  explicit Trial(const SuspectTrial& trial) : trial_(trial), expected_(trial.suspects) {}

  /// The worker has claimed the run, and nothing of it was sorted yet.
  void adopt(RunKey key, OwnedRun& run);

  /// When everything that ran has ended: makes one half of what is left due.
  void turn(RunBook& runs);

  /// Whether a suspect of the run has not run yet.
  bool has(RunKey key) const;

  /// Notes that nothing is left that could be tried; on_end is called the first time.
  void end();

 private:
  const SuspectTrial& trial_;
  std::vector<InFlightTask> expected_;  ///< of runs that were not claimed yet
  std::vector<InFlightTask> waiting_;   ///< of claimed runs
  bool ended_ = false;
};

}  // namespace weir
