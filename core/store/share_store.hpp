#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "run/journal_row.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// Elements of a map in which an owner offers the same attempt to others.
struct OfferedRange {
  std::size_t step = 0;
  int attempt = 1;
  std::size_t first = 0;
  std::vector<Json> inputs;  ///< of the elements from `first` on
};

/// Who would take shares of a run.
struct Hands {
  std::vector<std::size_t> slots;  ///< of each worker that has some free, or runs shares of it now
  std::size_t to_be_had = 0;       ///< shares of it that nobody has taken yet
};

/// A share that some worker holds.
struct HeldRange {
  ShareId share = 0;
  RunKey run = 0;
  std::size_t step = 0;
  int attempt = 1;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// What became of a shared element.
struct HeardRow {
  std::int64_t news = 0;  ///< to be named as heard
  RunKey run = 0;
  JournalRow row;
};

/// A share as its new holder gets it: what is left to run of a range.
struct TakenShare {
  ShareId share = 0;
  RunKey run = 0;
  std::string run_id;  ///< UUID
  VersionId version = 0;
  std::size_t step = 0;
  int attempt = 1;
  std::vector<std::size_t> indexes;  ///< ascending
  std::vector<Json> inputs;          ///< of each
  std::optional<Json> run_input;     ///< unless it was said to be known
};

/// Ranges of wide maps that the owner of a run offers, and other workers take (L7).
///
/// Every call can be repeated (L6): what was done the first time is not done again. Errors of every
/// call: unavailable, and lease_lost, of which each says when.  [as the WorkerStore it is part of]
class ShareStore {
 public:
  virtual ~ShareStore() = default;

  virtual Result<Hands> hands_for(WorkerId worker, RunKey run) = 0;

  /// From now on the owner runs none of them itself, unless take_back_shares() says that nobody
  /// holds it. lease_lost: also when the run is not the worker's.
  virtual Result<void> offer_shares(WorkerId worker, RunKey run,
                                    std::span<const OfferedRange> ranges) = 0;

  /// Takes back what nobody took. Returns what is held still: all other elements that the journal
  /// does not have afterwards are the owner's again.
  virtual Result<std::vector<HeldRange>> take_back_shares(WorkerId worker,
                                                          std::span<const RunKey> runs) = 0;

  /// Rows of shared elements, in an order RunState can fold, told until they are named as heard.
  virtual Result<std::vector<HeardRow>> hear_shares(WorkerId worker, std::span<const RunKey> runs,
                                                    std::span<const std::int64_t> heard) = 0;

  /// Ends the shares of a step whose tasks do not matter any more (F5). lease_lost: also when the
  /// run is not the worker's.
  virtual Result<void> drop_shares(WorkerId worker, RunKey run, std::size_t step) = 0;

  /// At most `count`, by priority and age, of these versions (L4).
  virtual Result<std::vector<TakenShare>> take_shares(WorkerId worker,
                                                      std::span<const VersionId> versions,
                                                      std::size_t count,
                                                      std::span<const RunKey> known_runs) = 0;

  /// All that the worker holds. What it had and does not find here is not its any more.
  virtual Result<std::vector<ShareId>> held_shares(WorkerId worker) = 0;

  /// Journals what became of some elements of a share, under the holder's own lease. Returns how
  /// many are left. lease_lost: also when the share is not the worker's any more; nothing of it was
  /// written then (L2).
  virtual Result<std::size_t> settle_share(WorkerId worker, ShareId share,
                                           std::span<const JournalRow> rows,
                                           std::optional<PluginId> plugin) = 0;

  /// Gives back what is not settled from element `from` on: to be had at once, and uncharged (L5).
  virtual Result<void> return_share(WorkerId worker, ShareId share, std::size_t from) = 0;
};

}  // namespace weir
