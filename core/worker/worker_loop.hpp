#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "step/database_clock.hpp"
#include "worker/child_runs.hpp"
#include "worker/duties.hpp"
#include "worker/flights.hpp"
#include "worker/flow_reader.hpp"
#include "worker/flow_workers.hpp"
#include "worker/held_shares.hpp"
#include "worker/offered_shares.hpp"
#include "worker/open_settlements.hpp"
#include "worker/outbox.hpp"
#include "worker/pace.hpp"
#include "worker/run_book.hpp"
#include "worker/run_events.hpp"
#include "worker/served_flows.hpp"
#include "worker/step_runner.hpp"
#include "worker/wish.hpp"
#include "worker/worker.hpp"

namespace weir {

/// One life of a worker in the database: from join to leave, or to the loss of its lease.
///
/// Threads: one, the caller of run(); results of slots reach it through Slots::take_finished().
///
/// Invariants:
/// - RunStates know only rows that this loop journals, or that the journal has already. A task that
///   becomes ready because of a row, or a child run, is started after the exchange with the row was
///   committed (P1).
/// - A skipped step's row is in the same exchange as the row that it follows from.
/// - An attempt is given to a slot only after an exchange that stated it was committed.
/// - Rows of shared elements are folded when they are received: they are committed by then (L7).
/// - An attempt is settled at most once, by taking its flight. A result without flight is refused.
/// - A request is repeated unchanged until it is answered; only then is the next one filled (L6).
class WorkerLoop {
 public:
  /// Requests of other threads, and the clock. The loop calls each once in a round.
  struct Calls {
    std::function<Wish()> wish;
    std::function<bool()> called;         ///< whether, since its last call, runs may be waiting
    std::function<bool()> flows_changed;  ///< whether, since its last call, the registry changed
    std::function<Steady()> now = std::chrono::steady_clock::now;
  };

  WorkerLoop(const WorkerOptions& options, ServedFlows& flows, FlowWorkers::Place& place,
             WorkerStore& store, StepRunner& slots, Log& log, Calls calls,
             std::uint64_t& next_ticket);
  WorkerLoop(const WorkerLoop&) = delete;
  WorkerLoop& operator=(const WorkerLoop&) = delete;

  enum class Ended { drained, lease_lost };

  /// Errors: unavailable, only when it must stop while the database is away; internal, when the
  /// database refuses a request: then the worker's tasks count as lost once its lease has lapsed.
  Result<Ended> run(WorkerId worker);

 private:
  std::vector<Duty> duties();
  void wait(Steady now);
  std::optional<Steady> steady(std::optional<Time> time, Steady now) const;
  Result<void> exchange_if_needed(Steady now);
  Result<Ended> abandon(const Error& error);
  bool must_end(Steady now);
  bool is_held(const OwnedRun& run, Steady now) const;
  void read_flows(Steady now);
  void collect(Steady now);
  void settle(const Flights::Flight& flight, AttemptResult result, Steady ended);
  void log(std::string_view run, const FlowDefinition& flow, const JournalRow& row) const;
  Result<void> resolve(Steady now);
  void journal(RunKey key, OwnedRun& run, JournalRow row);
  void take_shares(Steady now);
  void offer_shares(Steady now);
  Capacity capacity() const;
  bool takes_shares() const;
  void fold_heard(RunKey key, OwnedRun& run, const JournalRow& row);
  void give_up(RunKey key, OwnedRun& run, const Error& why);
  void close_waits();
  void advance_runs(Steady now);
  void advance(RunKey key, OwnedRun& run, Time now);
  void tell_steps(RunKey key, OwnedRun& run);
  void tell_begun(RunKey key, OwnedRun& run, std::size_t step);
  void end_run(RunKey key, OwnedRun& run, Time now);
  void settle_child(RunKey key, OwnedRun& run, const ReadyTask& task, AttemptResult result,
                    Time now);
  Result<void> start_children();
  void pick();
  void begin(RunKey key, OwnedRun& run, const ReadyTask& task, Steady now);
  void begin(std::shared_ptr<Attempt> attempt, Steady now);
  std::size_t room() const;
  bool has_news(Steady now) const;
  Result<void> speak();
  Result<ExchangeReply> exchange_until_answered(const ExchangeRequest& request);
  void take_over(const ExchangeReply& reply, std::size_t asked);
  Result<void> adopt(const std::vector<ClaimedRun>& claimed);
  /// What the database has of runs that were claimed with a history.
  struct Histories {
    std::vector<HeldRange> held;  ///< read before the journals
    std::map<RunKey, std::vector<JournalRow>> journals;
  };
  Result<Histories> histories_of(const std::vector<ClaimedRun>& claimed);
  void sweep(Steady now);
  void forget();

  const WorkerOptions& options_;
  ServedFlows& flows_;
  WorkerStore& store_;
  StepRunner& slots_;
  Log& log_;
  const Calls calls_;
  std::uint64_t& next_ticket_;
  const RunEvents& events_;

  WorkerId worker_ = 0;
  FlowReader reader_;
  DatabaseClock clock_;
  Pace pace_;
  ChildRuns children_;
  RunBook runs_;
  Flights flights_;
  OpenSettlements settling_;
  Outbox outbox_;
  OfferedShares offered_;
  HeldShares held_;
  std::deque<std::shared_ptr<Attempt>> finished_;   ///< from slots, not yet settled
  std::vector<std::shared_ptr<Attempt>> starting_;  ///< to be started once they are stated
  std::set<VersionId> paused_;                      ///< no task of them may start (C2)
  bool more_waits_ = true;                          ///< there may be runs to claim
  bool waits_ = false;  ///< the database knows that this worker waits for runs
  bool quiet_ = false;  ///< the last round made no exchange
  bool told_ = false;   ///< the database has notifications for its runs
  std::optional<Time> next_wake_at_;
  Steady renew_at_{}, poll_at_{}, sweep_at_{};
  std::optional<Steady> drain_until_;
  Duties duties_;
};

}  // namespace weir
