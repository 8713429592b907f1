#pragma once
#include <deque>
#include <functional>
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

/// The shares of runs that other workers own (L7). A worker takes them when it has free slots and
/// no run can be claimed. It runs their elements like any other task and journals the results under
/// its own lease; the owner decides what follows from them, retries included.
///
/// Threads: only the worker's loop.
///
/// Invariants:
/// - next() returns an element at most once, unless it is put back, and it is settled at most once.
/// - A share that the database has otherwise, or refused for another reason than a lost lease, is
///   dropped as a whole: its attempts in flight are stopped, and their results are discarded.
/// - A share that is locked, by the transaction of a handler (C9), delays no other.
class HeldShares {
 public:
  /// `store` may be null: then nothing is taken. All arguments must outlive it.
  HeldShares(ShareStore* store, const ServedFlows& flows, Log& log)
      : store_(store), flows_(flows), log_(log) {}

  bool empty() const noexcept { return held_.empty(); }

  /// How many elements were not started yet.
  std::size_t waiting() const noexcept { return waiting_; }

  /// Whether elements of this step of a flow may begin.
  using WhichStep = std::function<bool(const FlowHandle& flow, std::size_t step)>;

  /// The next element, of those that may begin, as an attempt whose ticket, worker, `chosen` and
  /// `clock` the caller sets. Null when there is none.
  std::shared_ptr<Attempt> next(
      Steady now, const WhichStep& may_begin = [](const FlowHandle&, std::size_t) { return true; });

  /// What was not started yet: calls `each` with every share of which something waits.
  void for_each_waiting(
      const std::function<void(const FlowHandle& flow, std::size_t step, VersionId version,
                               std::size_t count)>& each) const;

  /// The attempt, which next() returned, has not begun and never will: its element is returned to
  /// the database with the next turn(), with all of its share that waits.
  void put_back(Attempt& attempt);
  /// The attempt, which next() returned, has not begun: its element is returned by next() again.
  void put_off(Attempt& attempt);

  /// Gives back in the same way what waits of shares of which nothing was chosen for a second,
  /// until these are `count` elements; returns how many they are.
  std::size_t give_back(std::size_t count, Steady now);
  /// The same of the steps of which `which` is true, all of it. Returns their versions.
  std::vector<VersionId> give_back(const WhichStep& which, Steady now);

  /// The row of an attempt of a shared element, without its times.
  static JournalRow row_of(const Attempt& attempt, AttemptResult result);

  /// Notes the outcome of an attempt that next() returned.
  void settle(const Attempt& attempt, JournalRow row, Steady now);

  /// The result of an attempt that next() returned was written beside the exchanges; or was not,
  /// with that error.
  void note_written(const Attempt& attempt, JournalRow row, const Result<void>& written,
                    Steady now);

  /// A request for this share was refused with lease_lost. Either it is lost, or the lease is, which
  /// may have lapsed and hold again (F11): until the next comparison shows that the database has it
  /// otherwise, the share is kept. Returns whether it is held.
  bool doubt(ShareId share);
  /// The database may have lost that some were taken: nothing of them begins before it was asked.
  void doubt_all() {
    if (!held_.empty()) must_reconcile_ = true;
  }
  /// Whether the database is to be asked which of them the worker holds.
  bool in_doubt() const noexcept { return must_reconcile_; }

  /// Adds the attempts that are over and not journaled yet: if the worker vanishes now, they are
  /// lost (F1).
  void state(std::vector<InFlightTask>& in_flight) const;

  /// The database notified the worker: shares that it holds may have ended.
  void notify() noexcept { must_reconcile_ = true; }
  /// There may be shares to take.
  void wake() noexcept { take_at_ = {}; }

  /// One round: journals results, returns elements that may not be started, and takes more shares
  /// if there is room for them and `takes` says that there is nothing else to do. Only elements of
  /// `versions` may start, none when that is empty. Returns the shares that it no longer holds.
  std::vector<ShareId> turn(WorkerId worker, Steady now, std::span<const VersionId> versions,
                            const Capacity& capacity, bool takes);

  /// The time at which the next turn() has something to do, if nothing else happens; `takes` as for
  /// turn().
  Steady next_turn(const Capacity& capacity, bool takes) const;

  /// Whether, since the last call of this, a request was refused with lease_lost, so that the lease
  /// may be lost: the next exchange shows whether it is.
  bool take_lease_unconfirmed() noexcept { return std::exchange(lease_unconfirmed_, false); }

  void forget();

  /// Whether there was no share when it was asked for last.
  bool has_found_none() const noexcept { return store_ == nullptr || found_none_; }

 private:
  struct Element {
    std::size_t index = 0;
    Json input;
  };
  struct Share {
    TakenShare taken;
    ServedFlows::Flow flow;
    Json run_input;
    std::deque<Element> waiting{};  ///< ascending
    Steady moved_at{};              ///< when it was taken, or an element of it was chosen
    bool given_back = false;        ///< what waits is not chosen, and returned in the next turn
    std::size_t running = 0;
    std::vector<JournalRow> settled{};  ///< not journaled yet
    std::size_t settled_bytes = 0;
    Steady settled_at{};               ///< when the first of them was added
    std::optional<Error> unwritten{};  ///< why a large result of it could not be written
    bool one_by_one = false;           ///< the database cannot store one of them: it is to be found
    Steady retry_at{};                 ///< it was locked, or refused
  };
  using Shares = std::map<ShareId, Share>;

  Share* put_in_place(Attempt& attempt);
  void postpone(const Error& failure, Steady now);
  bool reconcile(WorkerId worker, Steady now, std::vector<ShareId>& dropped);
  bool journal(WorkerId worker, Steady now, std::vector<ShareId>& dropped);
  Result<void> journal(WorkerId worker, ShareId id, Share& share);
  static void refuse(JournalRow& row, const Error& why);
  bool return_unstarted(WorkerId worker, Steady now, std::span<const VersionId> versions);
  void take(WorkerId worker, Steady now, std::span<const VersionId> versions,
            std::vector<ShareId>& dropped, const Capacity& capacity);
  bool add(WorkerId worker, Steady now, TakenShare taken);
  bool is_due(const Share& share, Steady now) const;
  bool has_room(const Capacity& capacity) const;
  Shares::iterator drop_lost(Shares::iterator share);
  Shares::iterator drop(Shares::iterator share);

  ShareStore* const store_;
  const ServedFlows& flows_;
  Log& log_;
  Shares held_;
  std::size_t waiting_ = 0;
  std::map<RunKey, Json> run_inputs_;  ///< of runs whose shares it holds, and of the last one
  bool must_reconcile_ = false;
  bool lease_unconfirmed_ = false;
  bool found_none_ = false;
  /// The next comparison with the database: a request for shares that got no answer may be
  /// committed at any later time.
  std::optional<Steady> compare_at_;
  Steady take_at_{}, paused_until_{};
};

}  // namespace weir
