/// Threads: only the worker's loop.
///
/// Invariants:
/// - RunStates know only rows that this loop journals, or that the journal has already. A task that
///   becomes ready because of a row, or a child run, is started after the exchange with the row was
///   committed (P1).
/// - A skipped step's row is in the same exchange as the row that it follows from.
/// - Rows of shared elements are folded when they are received: they are committed by then (L7).
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "worker/attempts.hpp"
#include "worker/child_runs.hpp"
#include "worker/loop_state.hpp"

namespace weir {

/// Moves the runs that a worker owns forward: skips, waits, child runs, and their ends. What follows
/// from that goes into the outbox.
class RunAdvancer {
 public:
  /// Whether no task of the run may start at present.
  using IsHeld = std::function<bool(const OwnedRun&, Steady now)>;

  /// All references must outlive it.
  RunAdvancer(LoopState& loop, Attempts& attempts, IsHeld is_held)
      : loop_(loop),
        attempts_(attempts),
        is_held_(std::move(is_held)),
        children_(loop.store, loop.log) {}

  /// C4: closes waits whose time is over; a signal is accepted until its wait is closed in the
  /// database.
  void close_waits();

  /// Brings all runs up to date. Closes those that ended, and releases those that cannot or may not
  /// make progress for a while.
  void advance(Steady now);

  /// L9: releases runs that wait for a slot, until they have `count` due tasks.
  void give_back(std::size_t count);
  /// A7, L9: releases runs that wait for room for deferred calls for so long, while there is none.
  void give_back_crowded();

  /// Starts the child runs that are due. To be called only while no row is uncommitted that one of
  /// them could depend on (P1). Errors: lease_lost.
  Result<void> start_child_runs();
  std::optional<Steady> child_runs_due_at() const { return children_.due_at(); }

  /// Folds the row of a shared element, which is in the journal.
  void fold_shared_row(RunKey key, OwnedRun& run, const JournalRow& row);

  /// Fails a run whose journal has a row that is impossible, or of which the database refuses a
  /// value: as soon as no attempt of it has to be resolved.
  void fail_run(RunKey key, OwnedRun& run, const Error& why);

  /// F9: fails a run of which the database cannot store a value, for that reason. Errors: it was
  /// failed for that before.
  Result<void> fail_refused(RunKey key, const std::string& why);

  /// Takes note of what is large and was written beside the exchanges. Errors: lease_lost, and
  /// others that are not temporary.
  Result<void> take_written();

  /// Whether a run has something large to be written that waits until no exchange is under way.
  bool waits_for_commit() const noexcept { return waits_for_commit_; }

  /// Publishes that a step started, unless that was done before (E1).
  void publish_started(RunKey key, OwnedRun& run, std::size_t step);

 private:
  void advance(RunKey key, OwnedRun& run, Time now);
  void release(RunKey key, OwnedRun& run);
  void publish_steps(RunKey key, OwnedRun& run);
  void settle_child(RunKey key, OwnedRun& run, const ReadyTask& task, AttemptResult result,
                    Time now);
  void end_run(RunKey key, OwnedRun& run, Time now);
  void end_broken(RunKey key, OwnedRun& run);
  bool close(RunKey key, OwnedRun& run, const RunEnd& end);

  LoopState& loop_;
  Attempts& attempts_;
  const IsHeld is_held_;
  ChildRuns children_;
  bool waits_for_commit_ = false;
};

}  // namespace weir
