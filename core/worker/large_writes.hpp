#pragma once
#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "store/worker_store.hpp"

namespace weir {

/// What is large of the worker's runs and being written beside the exchanges, so that nothing waits
/// for it but its run. Used only by the worker's loop.
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

  void write(WorkerId worker, SettledAttempt settled) {
    results_.push_back({settled.run, settled.row.task, settled.row.attempt, settled.plugin});
    store_.write_large(worker, std::move(settled));
  }
  void write(WorkerId worker, EndedRun ended) {
    ending_.push_back(ended.run);
    store_.write_large(worker, std::move(ended));
  }

  /// How many attempts have a result that is being written.
  std::size_t size() const noexcept { return results_.size(); }
  bool empty() const noexcept { return results_.empty() && ending_.empty(); }
  /// Whether something of the run is being written.
  bool holds(RunKey run) const {
    return std::ranges::find(ending_, run) != ending_.end() ||
           std::ranges::find(results_, run, &InFlightTask::run) != results_.end();
  }
  void state(std::vector<InFlightTask>& in_flight) const {
    in_flight.insert(in_flight.end(), results_.begin(), results_.end());
  }

  /// What is over since the last call.
  std::vector<LargeWritten> take_written();
  void forget();

 private:
  WorkerStore& store_;
  const std::size_t bytes_min_;
  std::vector<InFlightTask> results_;
  std::vector<RunKey> ending_;
};

}  // namespace weir
