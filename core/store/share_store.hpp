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

/// Consecutive elements of a map that an owner offers to others, all for the same attempt number.
struct OfferedRange {
  std::size_t step = 0;
  int attempt = 1;
  std::size_t first = 0;
  std::vector<Json> inputs;  ///< of the elements from `first` on
};

/// Which workers would take shares of a run.
struct Helpers {
  std::vector<std::size_t> slots;        ///< of each that has free slots, or runs shares of it now
  std::vector<std::size_t> async_calls;  ///< of each of these: how many deferred calls it may have
  std::size_t available = 0;             ///< shares of it that no worker has taken yet
};

/// A share that a worker holds.
struct HeldRange {
  ShareId share = 0;
  RunKey run = 0;
  std::size_t step = 0;
  int attempt = 1;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// The result of a shared element, as the owner of the run receives it: its journal row.
struct ShareResult {
  std::int64_t notification = 0;  ///< the one to acknowledge
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
  std::optional<Json> run_input;     ///< unless the run was among the known ones
};

/// Ranges of wide maps that the owner of a run offers, and other workers take (L7).
///
/// Every call can be repeated (L6): what was done the first time is not done again. Errors of every
/// call: unavailable; and lease_lost when the worker's lease is lost, or as said with the call.
/// [as the WorkerStore it is part of]
class ShareStore {
 public:
  virtual ~ShareStore() = default;

  virtual Result<Helpers> helpers_for(WorkerId worker, RunKey run) = 0;

  /// From now on the owner runs none of these elements itself, unless take_back_shares() says that
  /// no worker holds them. lease_lost: also when the worker does not own the run.
  virtual Result<void> offer_shares(WorkerId worker, RunKey run,
                                    std::span<const OfferedRange> ranges) = 0;

  /// Takes back the shares that no worker took. Returns those that are still held: all other
  /// elements that have no journal row afterwards are the owner's again.
  virtual Result<std::vector<HeldRange>> take_back_shares(WorkerId worker,
                                                          std::span<const RunKey> runs) = 0;

  /// Rows of shared elements, in an order RunState can fold; returned again until their
  /// notifications are among `acknowledged`.
  virtual Result<std::vector<ShareResult>> fetch_share_results(
      WorkerId worker, std::span<const RunKey> runs,
      std::span<const std::int64_t> acknowledged) = 0;

  /// Ends the shares of a step whose tasks are no longer needed (F5). lease_lost: also when the
  /// worker does not own the run.
  virtual Result<void> drop_shares(WorkerId worker, RunKey run, std::size_t step) = 0;

  /// Takes at most `count` shares of these versions, by priority and age (L4).
  virtual Result<std::vector<TakenShare>> take_shares(WorkerId worker,
                                                      std::span<const VersionId> versions,
                                                      std::size_t count,
                                                      std::span<const RunKey> known_runs) = 0;

  /// All shares that the worker holds. One that it held before and that is not among them is no
  /// longer its own.
  virtual Result<std::vector<ShareId>> held_shares(WorkerId worker) = 0;

  /// Journals the outcome of some elements of a share, under the holder's own lease. Returns how
  /// many are left. lease_lost: also when the worker no longer holds the share; then nothing was
  /// written (L2).
  virtual Result<std::size_t> settle_share(WorkerId worker, ShareId share,
                                           std::span<const JournalRow> rows,
                                           std::optional<PluginId> plugin) = 0;

  /// Returns the elements from `from` on that are not settled: others can take them immediately,
  /// and no attempt is charged (L5).
  virtual Result<void> return_share(WorkerId worker, ShareId share, std::size_t from) = 0;
};

}  // namespace weir
