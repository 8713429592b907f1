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
  static constexpr std::size_t bytes_max = std::size_t{256} * 1024 * 1024;

  /// Results and ends whose output has at least `bytes_min` bytes are large.
  LargeWrites(WorkerStore& store, std::size_t bytes_min) : store_(store), bytes_min_(bytes_min) {}

  bool is_large(const Json& output) const { return output.text().size() >= bytes_min_; }
  bool is_large(const JournalRow& row) const {
    return row.outcome == Outcome::completed && row.output && is_large(*row.output);
  }

  /// The result of an attempt of this worker; null: of a child run, which nobody is charged for.
  void write(WorkerId worker, SettledAttempt settled, std::shared_ptr<Attempt> attempt);
  void write(WorkerId worker, EndedRun ended);

  /// Takes back the results of a run of this worker that are not written, and will not be. Returns
  /// their attempts; null: of child runs.
  std::vector<std::shared_ptr<Attempt>> withdraw(RunKey run);
  /// Takes back those of a share that is no longer held. What becomes of one that is being written
  /// nobody hears: it is no result of this share if the worker takes that again. The database
  /// refuses it, or keeps the first row of that attempt that it gets.
  void withdraw_share(ShareId share);

  /// So much is being written that nothing more should begin.
  bool is_full() const noexcept { return bytes_ >= bytes_max; }
  bool empty() const noexcept { return results_.empty() && ending_.empty(); }
  /// Whether something of a run of this worker is being written.
  bool holds(RunKey run) const;
  void state(std::vector<InFlightTask>& in_flight) const;

  struct Written {
    LargeWritten large;
    std::shared_ptr<Attempt> attempt;  ///< as it was given to write()
  };
  /// What is over since the last call, except results of shares that were withdrawn.
  std::vector<Written> take_written();
  void forget();

 private:
  struct WrittenResult {
    InFlightTask task;
    std::shared_ptr<Attempt> attempt;
    std::size_t bytes = 0;
    bool dropped = false;  ///< its share is no longer held, or is so anew

    ShareId share() const { return attempt ? attempt->share : 0; }
    bool is_of(RunKey run) const { return task.run == run && share() == 0; }
  };

  bool take_back(const WrittenResult& result);

  WorkerStore& store_;
  const std::size_t bytes_min_;
  std::vector<WrittenResult> results_;
  std::vector<RunKey> ending_;
  std::size_t bytes_ = 0;  ///< of results
};

}  // namespace weir
