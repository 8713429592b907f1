#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "step/attempt.hpp"
#include "store/share_store.hpp"
#include "worker/capacity.hpp"
#include "worker/served_flows.hpp"

namespace weir {

/// The shares a worker took of runs that others own (L7): when its slots are free and no run is to
/// be had. It runs their elements as any other task and journals the results under its own lease;
/// what comes of them, retries included, the owner decides.
///
/// Threads: the worker's loop.
/// Invariants:
/// - An element is given out by next() at most once, and settled at most once.
/// - A share that the database refused is dropped whole: what runs of it is to be stopped, and what
///   that returns is nobody's.
class HeldShares {
 public:
  /// `store` may be null: then nothing is taken. All must outlive it.
  HeldShares(ShareStore* store, const ServedFlows& flows, Log& log)
      : store_(store), flows_(flows), log_(log) {}

  bool empty() const noexcept { return held_.empty(); }

  /// Elements that were not begun.
  std::size_t waiting() const noexcept { return waiting_; }

  /// The next element, as an attempt that lacks its ticket, its worker and when it was given. Null
  /// when there is none.
  std::shared_ptr<Attempt> next();

  /// The row of an attempt of a shared element, its times still unset.
  static JournalRow row_of(const Attempt& attempt, AttemptResult result);

  /// How an attempt that next() gave ended.
  void settle(const Attempt& attempt, JournalRow row, Steady now);

  /// The database says that something of what it holds may have ended.
  void told() noexcept { looks_ = true; }
  /// Shares may be to be had.
  void called() noexcept { take_at_ = {}; }

  /// One round: journals what ended, gives back what was not begun and may not be, and takes more
  /// where there is room for it (`takes`: nothing else is to be had). May begin: elements of
  /// `versions`, nothing when that is empty. Returns the shares that it holds no more.
  std::vector<ShareId> turn(WorkerId worker, Steady now, std::span<const VersionId> versions,
                            const Capacity& capacity, bool takes);

  /// When the next turn() has something to do by time alone; `takes` as there.
  Steady next_turn(const Capacity& capacity, bool takes) const;

  /// Whether a call since the last question was refused as from one whose lease is lost: the next
  /// exchange tells.
  bool take_doubt() noexcept { return std::exchange(doubts_lease_, false); }

  void forget();

 private:
  struct Element {
    std::size_t index = 0;
    Json input;
  };
  struct Share {
    TakenShare taken;
    ServedFlows::Flow flow;
    Json run_input;
    std::deque<Element> waiting{};
    std::size_t running = 0;
    std::vector<JournalRow> settled{};  ///< not journaled yet
    std::size_t settled_bytes = 0;
    Steady settled_at{};  ///< the first of them
  };
  using Shares = std::map<ShareId, Share>;

  bool passes(const Error& failure, Steady now);
  bool look(WorkerId worker, Steady now, std::vector<ShareId>& dropped);
  bool journal(WorkerId worker, Steady now, std::vector<ShareId>& dropped);
  bool give_back(WorkerId worker, Steady now, std::span<const VersionId> versions);
  void take(WorkerId worker, Steady now, std::span<const VersionId> versions);
  bool enter(WorkerId worker, Steady now, TakenShare taken);
  bool is_due(const Share& share, Steady now) const;
  bool has_room(const Capacity& capacity) const;
  Shares::iterator drop(Shares::iterator share);

  ShareStore* const store_;
  const ServedFlows& flows_;
  Log& log_;
  Shares held_;
  std::size_t waiting_ = 0;
  std::map<RunKey, Json> run_inputs_;  ///< of runs whose shares it holds, and of the last one
  bool looks_ = false;
  bool doubts_lease_ = false;
  Steady take_at_{}, quiet_until_{};
};

}  // namespace weir
