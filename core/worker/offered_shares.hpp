#pragma once
#include <functional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "store/share_store.hpp"
#include "worker/capacity.hpp"
#include "worker/owned_run.hpp"
#include "worker/run_book.hpp"

namespace weir {

/// What a worker offers of the runs it owns (L7): when it has more map elements due than it can
/// start and other workers have free slots, it offers ranges that take them about `range_seconds`;
/// when it has nothing to do, it takes back the ranges that no worker took.
///
/// Threads: only the worker's loop.
///
/// Invariants:
/// - A task is in exactly one place: sleeping, due, in flight, shared (OwnedRun::shared), or ended.
/// - A task leaves `shared` only when the row of the shared attempt was received; or when the
///   database said that no worker holds that attempt, and the rows received after that did not have
///   it.
class OfferedShares {
 public:
  /// Folds a row that another worker journaled.
  using Fold = std::function<void(RunKey key, OwnedRun& run, const JournalRow& row)>;

  static constexpr double range_seconds = 0.25;

  /// `store` may be null: then nothing is shared. All arguments must outlive it.
  OfferedShares(ShareStore* store, Log& log) : store_(store), log_(log) {}

  /// The worker has claimed the run. What it offered of an earlier claim of it is not repeated: it may
  /// run these elements itself.
  void note_claimed(RunKey run) {
    if (run == offered_run_) offering_.clear();
  }

  /// What other workers hold of runs that were claimed with a history. To be called before their
  /// journal is read; the result is given to restore_shared() with the journal. Errors: as the store's.
  Result<std::vector<HeldRange>> held_by_others(WorkerId worker, std::span<const RunKey> runs);
  static void restore_shared(std::span<const HeldRange> held, RunKey key, OwnedRun& run,
                             std::span<const JournalRow> journal);

  /// The database notified the worker: there are outcomes of shared elements.
  void notify() noexcept { notified_ = true; }

  /// One round: receives outcomes, takes back ranges, offers ranges. To be called when the worker
  /// has picked from the due tasks those that it starts itself.
  void turn(WorkerId worker, Steady now, RunBook& runs, const Capacity& capacity, const Fold& fold);

  /// When the next turn() may have something to do.
  Steady next_turn() const noexcept { return next_turn_; }

  /// As HeldShares::take_lease_unconfirmed().
  bool take_lease_unconfirmed() noexcept { return std::exchange(lease_unconfirmed_, false); }

  void forget();

 private:
  bool succeeded(Result<void> done, Steady now);
  std::vector<RunKey> sharing(RunBook& runs) const;
  bool drop_unneeded(WorkerId worker, Steady now, RunBook& runs);
  bool receive_outcomes(WorkerId worker, Steady now, RunBook& runs, const Fold& fold);
  bool take_back(WorkerId worker, Steady now, RunBook& runs, const Fold& fold);
  bool offer(WorkerId worker, Steady now, RunBook& runs, const Capacity& capacity);
  std::vector<OfferedRange> cut(OwnedRun& run, const Helpers& helpers,
                                const Capacity& capacity) const;

  ShareStore* const store_;
  Log& log_;
  bool notified_ = false;
  bool lease_unconfirmed_ = false;
  Steady receive_at_{}, take_back_at_{}, offer_at_{}, drop_at_{}, paused_until_{},
      next_turn_ = Steady::max();
  std::set<std::int64_t>
      received_;  ///< notifications to acknowledge with the next fetch_share_results()
  RunKey offered_run_ = 0;
  std::vector<OfferedRange> offering_;  ///< of offered_run_; repeated until there is an answer (L6)
};

}  // namespace weir
