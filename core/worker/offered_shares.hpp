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
/// begin and others have slots free, it offers ranges that they need about `range_seconds` for;
/// when it has nothing to do, it takes back what nobody took.
///
/// Threads: the worker's loop.
/// Invariants:
/// - A task is in one place: sleeping, due, in flight, shared (OwnedRun::shared), or ended.
/// - It leaves `shared` only when the row of the shared attempt was heard; or when the database
///   said that nobody holds that attempt, and what was to be heard after that did not have it.
class OfferedShares {
 public:
  /// Takes in a row that somebody else journaled.
  using Fold = std::function<void(RunKey key, OwnedRun& run, const JournalRow& row)>;

  static constexpr double range_seconds = 0.25;

  /// `store` may be null: then nothing is shared. All must outlive it.
  OfferedShares(ShareStore* store, Log& log) : store_(store), log_(log) {}

  /// What others hold of runs that were claimed with a history. To be asked before their journal is
  /// read, and said to enter() after it was folded. Errors: as the store's.
  Result<std::vector<HeldRange>> held_of(WorkerId worker, std::span<const RunKey> runs);
  static void enter(std::span<const HeldRange> held, RunKey key, OwnedRun& run,
                    std::span<const JournalRow> journal);

  /// The database says that something became of what is shared.
  void told() noexcept { told_ = true; }

  /// One round: hears, takes back, offers. To be called after what is due was picked from.
  void turn(WorkerId worker, Steady now, RunBook& runs, const Capacity& capacity, const Fold& fold);

  /// When the next turn() may have something to do.
  Steady next_turn() const noexcept { return next_turn_; }

  /// As HeldShares::take_doubt().
  bool take_doubt() noexcept { return std::exchange(doubts_lease_, false); }

  void forget();

 private:
  bool passes(Result<void> done, Steady now);
  std::vector<RunKey> sharing(RunBook& runs) const;
  bool drop_unwanted(WorkerId worker, Steady now, RunBook& runs);
  bool hear(WorkerId worker, Steady now, RunBook& runs, const Fold& fold);
  bool take_back(WorkerId worker, Steady now, RunBook& runs, const Fold& fold);
  bool offer(WorkerId worker, Steady now, RunBook& runs, const Capacity& capacity);
  std::vector<OfferedRange> cut(OwnedRun& run, const Hands& hands, const Capacity& capacity) const;

  ShareStore* const store_;
  Log& log_;
  bool told_ = false;
  bool doubts_lease_ = false;
  Steady hear_at_{}, take_back_at_{}, offer_at_{}, quiet_until_{}, next_turn_ = Steady::max();
  std::set<std::int64_t> heard_;  ///< news taken in, to be named when it hears next
  RunKey offered_run_ = 0;
  std::vector<OfferedRange> offering_;  ///< of offered_run_; repeated until it is answered (L6)
};

}  // namespace weir
