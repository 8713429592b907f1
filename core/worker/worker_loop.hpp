/// Threads: one, the caller of WorkerLoop::run().
///
/// Invariants (the parts' own are in run_advancer.hpp, attempts.hpp and the files of shares):
/// - A request is repeated unchanged until it is answered; only then is the next one sent (L6). If the
///   database has lost exchanges before it, the runs that they had claimed leave it.
/// - While an exchange is under way, the loop takes in results and collects the next request, and
///   calls the database for nothing else. What builds on these results is stated by that request.
/// - A round in which the database is called for something else begins when everything that the loop
///   knows is committed: so nothing is offered, closed or started that builds on less (P1).
/// - The registry is read only between two exchanges, so that a claimed version is always served.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/retry_log.hpp"
#include "worker/attempts.hpp"
#include "worker/duties.hpp"
#include "worker/exchange_schedule.hpp"
#include "worker/flow_reader.hpp"
#include "worker/flow_workers.hpp"
#include "worker/held_shares.hpp"
#include "worker/loop_state.hpp"
#include "worker/offered_shares.hpp"
#include "worker/run_advancer.hpp"
#include "worker/run_events.hpp"
#include "worker/served_flows.hpp"
#include "worker/step_runner.hpp"
#include "worker/stop_request.hpp"
#include "worker/worker.hpp"

namespace weir {

/// One life of a worker in the database: from join to leave, or to the loss of its lease. It makes
/// the exchanges, and lets its parts take their turns between them.
class WorkerLoop {
 public:
  /// Requests of other threads, and the clock. The loop calls each once in a round.
  struct Inputs {
    std::function<StopRequest()> stop_request;
    std::function<bool()> runs_may_wait;  ///< whether, since its last call, runs may be waiting
    std::function<bool()> flows_changed;  ///< whether, since its last call, the registry changed
    std::function<Steady()> now = std::chrono::steady_clock::now;
  };

  WorkerLoop(const WorkerOptions& options, ServedFlows& flows,
             FlowWorkers::Registration& registration, WorkerStore& store, StepRunner& slots,
             Log& log, Inputs inputs, AcrossLives& across);
  WorkerLoop(const WorkerLoop&) = delete;
  WorkerLoop& operator=(const WorkerLoop&) = delete;

  enum class Ended { drained, lease_lost };

  /// Errors: unavailable, only when it must stop while the database is away; internal, when the
  /// database refuses a request. Then the worker leaves, so that what it held starts again without a charge;
  /// where it cannot leave, its tasks count as lost once its lease has lapsed.
  Result<Ended> run(WorkerId worker);

 private:
  std::vector<Duty> duties();
  Result<void> take_turns(Steady now);
  Result<void> take_turns_ahead(Steady now);
  void wait(Steady now);
  std::chrono::milliseconds nap(Steady now, Duties::Which which) const;
  std::optional<Steady> steady(std::optional<Time> time, Steady now) const;
  Result<Ended> abandon(const Error& error);
  bool must_end(Steady now);
  bool is_held(const OwnedRun& run, Steady now) const;
  void read_flows(Steady now);
  bool takes_shares() const;
  bool takes_suspect_share() const;
  void take_shares(Steady now);
  void offer_shares(Steady now);
  void give_back(Steady now);
  std::optional<Steady> give_back_due_at() const;
  void take_trial_turn();
  void pick();
  std::size_t tasks_held() const;
  std::size_t room() const;
  bool is_exchange_due(Steady now) const;
  bool may_overlap(Steady now) const;
  Result<void> exchange_if_due(Steady now);
  Result<void> exchange();
  using FirstReply = std::optional<Result<ExchangeReply>>;
  Result<void> finish_exchange(FirstReply first);
  Result<ExchangeReply> exchange_until_answered(FirstReply first);
  Result<ExchangeReply> try_exchange(FirstReply first);
  void await_reply();
  bool drop_lost(const std::vector<RunKey>& held);
  void apply_reply(const ExchangeReply& reply);
  Result<void> adopt(const std::vector<ClaimedRun>& claimed);
  /// What the database has of runs that were claimed with a history.
  struct Histories {
    std::vector<HeldRange> held;  ///< read before the journals
    std::map<RunKey, std::vector<JournalRow>> journals;
  };
  void check_input(const ClaimedRun& claim, const InputSchema& schema, OwnedRun& run);
  Result<Histories> histories_of(const std::vector<ClaimedRun>& claimed);
  void sweep(Steady now);
  void forget();

  /// While an exchange is under way, results are taken in at most once in this time.
  static constexpr std::chrono::milliseconds ahead_interval{1};

  const Inputs inputs_;
  const RunEvents& events_;
  ServedFlows& flows_;
  LoopState loop_;
  FlowReader reader_;
  OfferedShares offered_;
  HeldShares held_;
  Attempts attempts_;
  RunAdvancer advancer_;
  ExchangeSchedule schedule_;
  bool skipped_exchange_ = false;  ///< the last round made none
  std::int64_t sequence_ = 0;      ///< of the last exchange
  Steady sent_at_{};
  bool under_way_ = false;       ///< an exchange is, whose reply has not been taken
  bool woken_ = false;           ///< while it is: something may have come since the last turn
  Steady ahead_at_{};            ///< while it is: when the next turn is, if something came
  Steady all_committed_at_{};    ///< when all duties had a turn
  bool lost_commits_ = false;    ///< the database has lost exchanges: it must be asked what is held
  std::int64_t settled_in_ = 0;  ///< the last exchange that settled, ended or released something
  RetryLog sweeping_{loop_.log, "cannot sweep lapsed workers", "lapsed workers are swept again"};
  Steady sweep_at_{}, give_back_at_{};
  Duties duties_;
};

}  // namespace weir
