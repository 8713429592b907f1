/// Threads: only the worker's loop; results of handlers reach it through StepRunner.
///
/// Invariants:
/// - An attempt is given to a slot only after an exchange that stated it was committed. What is picked
///   while one is under way is stated by the next. What a claim has stated is given to a slot as it is
///   picked, unless another exchange was sent since, or the reply is older than begins_within.
/// - An attempt is settled at most once, by taking its flight. A result without flight is refused.
/// - A handler that ignores its stop token is abandoned once, whatever ended its attempt (F4).
/// - Each attempt that counts in the room for deferred calls leaves it when its slot returns it, or
///   when it is certain that it never begins.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "worker/capacity.hpp"
#include "worker/flights.hpp"
#include "worker/held_shares.hpp"
#include "worker/large_writes.hpp"
#include "worker/loop_state.hpp"
#include "worker/open_settlements.hpp"
#include "worker/pace.hpp"
#include "worker/step_runner.hpp"

namespace weir {

/// The attempts of a worker, from due tasks to journal rows: it picks tasks, states them, gives them
/// to slots, enforces their limits (F4), and settles them by what their handlers returned.
class Attempts {
 public:
  /// All arguments must outlive it.
  Attempts(LoopState& loop, StepRunner& slots, HeldShares& held, AcrossLives& across)
      : loop_(loop),
        slots_(slots),
        held_(held),
        across_(across),
        pace_(loop.options.slots),
        flights_(across.ending),
        large_(loop.store, loop.options.large_bytes) {
    across.room.set_limits(loop.options.async_calls,
                           static_cast<std::size_t>(loop.options.async_bytes));
  }

  Pace& pace() noexcept { return pace_; }
  const Pace& pace() const noexcept { return pace_; }
  /// How many are stated, or will be with the next exchange, without those whose result is being
  /// written.
  std::size_t size() const noexcept { return flights_.size(); }
  /// The same without those that have no slot because they are deferred and pending, as far as that
  /// was noted by the last collect() or pick().
  std::size_t on_slots() const { return flights_.on_slots(); }
  Capacity capacity() const;

  AsyncRoom& room() noexcept { return across_.room; }
  /// Whether there is no room for what the run could start (A7).
  bool waits_for_room(const OwnedRun& run) const;
  /// The tasks of its own runs, and elements of shares, that it could start: without those that wait
  /// for room, which must not keep it from claiming other runs (A8).
  std::size_t startable() const;
  /// The others.
  std::size_t waiting_for_room() const { return loop_.runs.due() + held_.waiting() - startable(); }
  /// L9: has shares whose elements have waited for room for longer than waits_max return them.
  void give_back_crowded_shares(Steady now);
  /// The versions of which something waits for room, or was given back because it did. Nothing of
  /// them is to be claimed or taken.
  std::set<VersionId> crowded() const;

  /// For so long after the reply begins what a claim has stated: then the database cannot have crashed
  /// and come up again in the meantime, without that claim.
  static constexpr std::chrono::milliseconds begins_within{10};

  using Publish = std::function<void(RunKey, OwnedRun&, std::size_t step)>;

  /// How many more attempts could begin at once.
  std::size_t free_slots() const { return pace_.slots() - std::min(pace_.slots(), on_slots()); }
  /// The claim of the run has stated the first attempt of this step: pick() gives it to a slot.
  void note_begun(RunKey run, std::size_t step) { begun_.emplace(run, step); }

  /// Picks due tasks, elements of shares first, as far as there is capacity: flows in turn, as
  /// RunBook::take_due(). Of a step that defers its calls none begins that could not be deferred, except
  /// in up to half of the slots when nothing else could use them (A7). `started` is called for each
  /// task of the worker's own runs.
  void pick(const std::function<bool(const OwnedRun&)>& is_held, const Publish& started);

  /// Settles attempts that slots have finished and attempts that timed out; abandons handlers that
  /// ignore their stop tokens.
  void collect(Steady now);

  /// When collect() has something to do though no slot finishes anything.
  std::optional<Steady> due_at(Steady now) const;

  /// Takes back what waits for a slot: all of it when the worker drains; otherwise, once something
  /// has waited for longer than waits_max, as much as is more than the window. These tasks are due
  /// again, or wait in their share.
  void take_back_waiting(Steady now);

  /// C9: resolves attempts that handlers may have settled in their own transactions. Errors: as
  /// WorkerStore::resolve(), except that the database is away.
  Result<void> resolve(Steady now);
  std::optional<Steady> resolve_at() const { return settling_.due_at(); }
  /// Whether some attempt of the run has still to be resolved or written.
  bool is_resolving(RunKey run) const { return settling_.holds(run) || large_.holds(run); }
  /// What is large of runs.
  LargeWrites& large() noexcept { return large_; }
  const LargeWrites& large() const noexcept { return large_; }
  /// A large result of the run was written; or it was refused, and the run has to fail.
  static void note_written(OwnedRun& run, const JournalRow& row, bool stored);
  /// The same of an element of a share of another worker's run.
  void note_shared(const std::shared_ptr<Attempt>& attempt, JournalRow row,
                   const Result<void>& written);

  /// F6: settles the attempts of a run that ended as cancelled, except those that must be resolved
  /// first.
  void cancel_run(RunKey key, OwnedRun& run, Time now);
  /// Forgets the attempts of a run that fails, except those that must be resolved; their results will
  /// be refused.
  void forget_run(RunKey key, OwnedRun& run);
  /// Forgets a run that is not the worker's any more, and of which nothing has to be resolved. Its
  /// handlers, which may still run, cannot settle their attempts themselves any more: the worker may
  /// have the run anew, and run these attempts again. False: one of them has asked for its settlement
  /// before, so that this worker must not have the run anew.
  [[nodiscard]] bool drop_run(RunKey key);
  /// The same for a share.
  void forget_share(ShareId share);
  /// Cancels the stop tokens of attempts whose tasks are no longer needed.
  void stop_unneeded(RunKey key, const OwnedRun& run);

  /// Everything that runs, is about to run, has to be resolved, or is to be journaled as an element
  /// of a share.
  std::vector<InFlightTask> stated() const;
  /// Drops of what was sent as in flight what is the worker's no longer. What was settled since stays:
  /// its rows are sent with the next request. What was picked since may build on rows that are not
  /// committed, and is not added (P1).
  void drop_others(std::vector<InFlightTask>& sent) const;
  /// Whether there are attempts to be stated.
  bool has_unstated() const noexcept { return !starting_.empty(); }
  /// The database may have lost that shares were taken: nothing of them begins before it was asked,
  /// also of what waits for a slot.
  void doubt_shares();
  /// What stated() returned was sent.
  void note_sent();
  /// What was sent was committed: gives its new attempts to slots.
  void start_stated();
  /// Whether attempts were stated that were taken back since, and not settled: others may have them
  /// after the next exchange, or they would count as lost with this worker.
  bool states_too_much() const noexcept { return states_too_much_; }
  /// Whether slots have any, or may have.
  bool any_started() const noexcept { return flights_.size() > starting_.size() + sent_.size(); }

  /// Cancels the stop tokens of those whose time is over, while the loop waits for the database.
  void enforce_limits(Steady now) { flights_.enforce(now); }

  void forget();

 private:
  void begin(RunKey key, OwnedRun& run, const ReadyTask& task, Steady now);
  void begin(std::shared_ptr<Attempt> attempt, Steady now,
             std::vector<std::shared_ptr<Attempt>>& among);
  void note_deferred();
  bool is_full() const { return across_.room.is_full(finished_bytes_); }
  bool defers(const FlowHandle& flow, std::size_t step) const;
  /// Due tasks of steps that defer their calls.
  std::size_t due_deferring(const OwnedRun& run) const;
  std::size_t due_deferring() const;
  std::size_t pick_elements(std::size_t count, const HeldShares::WhichStep& may_begin, Steady now);
  std::map<int, std::size_t> shares_of_room(
      const std::function<bool(const OwnedRun&)>& is_held) const;
  void never_begins(Attempt& attempt);
  void start_begun();
  void drop_begun();
  void collect_finished();
  void abandon(Attempt& attempt);
  void state_anew();
  void put_off_shares();
  JournalRow cancelled(const Attempt& attempt, Time now) const;
  void forget_starting(const std::function<bool(const Attempt&)>& dropped);
  void make_due(const Flights::Flight& flight, Steady now);
  void settle(const Flights::Flight& flight, AttemptResult result, Steady ended);
  /// A row that is in the journal.
  static void fold_journaled(OwnedRun& run, const JournalRow& row);

  LoopState& loop_;
  StepRunner& slots_;
  HeldShares& held_;
  AcrossLives& across_;
  Pace pace_;
  Flights flights_;
  OpenSettlements settling_;
  LargeWrites large_;
  struct Finished {
    std::shared_ptr<Attempt> attempt;
    bool obeyed = false;  ///< the stop token of work that is over for this worker
  };
  std::deque<Finished> finished_;   ///< from slots, not yet settled
  std::size_t finished_bytes_ = 0;  ///< of their results
  /// To be started once they are stated, and those of them that an exchange under way states.
  std::vector<std::shared_ptr<Attempt>> starting_, sent_;
  bool states_too_much_ = false;
  Steady replied_at_{};
  /// What the claims of the last exchange have stated, until it is picked or the next is sent.
  std::set<std::pair<RunKey, std::size_t>> begun_;
  std::vector<std::shared_ptr<Attempt>> stated_;  ///< of that, what pick() gives to slots
};

}  // namespace weir
