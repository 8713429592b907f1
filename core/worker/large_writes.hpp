#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "step/attempt.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// What is large of the worker's runs and shares and being written beside the exchanges, so that
/// nothing waits for it but its run. Used only by the worker's loop.
///
/// Invariants:
/// - An attempt stays stated as in flight, and its run owned and open, until its result is written:
///   nothing that builds on it begins before (P1).
/// - A run whose end is being written is leaving; nothing else of it is written.
class LargeWrites {
 public:
  /// Results and ends whose output has at least `bytes_min` bytes are large.
  LargeWrites(WorkerStore& store, std::size_t bytes_min) : store_(store), bytes_min_(bytes_min) {}

  bool is_large(const Json& output) const { return output.text().size() >= bytes_min_; }

  /// The result of an attempt of this worker; null: of a child run, which nobody is charged for.
  void write(WorkerId worker, SettledAttempt settled, std::shared_ptr<Attempt> attempt);
  void write(WorkerId worker, EndedRun ended);

  /// How many attempts have a result that is being written.
  std::size_t size() const noexcept { return results_.size(); }
  bool empty() const noexcept { return results_.empty() && ending_.empty(); }
  /// Whether something of a run of this worker is being written.
  bool holds(RunKey run) const;
  void state(std::vector<InFlightTask>& in_flight) const;

  struct Written {
    LargeWritten large;
    std::shared_ptr<Attempt> attempt;  ///< as it was given to write()
  };
  /// What is over since the last call.
  std::vector<Written> take_written();
  void forget();

 private:
  struct WrittenResult {
    InFlightTask task;
    std::shared_ptr<Attempt> attempt;
  };

  WorkerStore& store_;
  const std::size_t bytes_min_;
  std::vector<WrittenResult> results_;
  std::vector<RunKey> ending_;
};

}  // namespace weir
