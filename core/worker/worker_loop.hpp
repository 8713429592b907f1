#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "worker/database_clock.hpp"
#include "worker/flights.hpp"
#include "worker/flow_workers.hpp"
#include "worker/owned_run.hpp"
#include "worker/served_flows.hpp"
#include "worker/step_runner.hpp"
#include "worker/wish.hpp"
#include "worker/worker.hpp"

namespace weir {

/// One life of a worker in the database: from join to leave, or to the loss of its lease.
///
/// Threads: one, the caller of run(); slots hand their results over inside Slots.
/// Invariants:
/// - RunStates know only what this loop journals; a task they free because of a row starts after
/// the
///   exchange that holds the row was committed (P1).
/// - An attempt is given to a slot only after an exchange that stated it was committed.
/// - An attempt is settled at most once: by taking its flight. A result without flight is refused.
/// - A request is made until it is answered, unchanged; only then the next one is filled (L6).
class WorkerLoop {
 public:
  /// What others say, asked once a round.
  struct Calls {
    std::function<Wish()> wish;
    std::function<bool()> called;         ///< since it was asked: runs may wait
    std::function<bool()> flows_changed;  ///< likewise: the registry is to be read
    std::function<Steady()> now = std::chrono::steady_clock::now;
  };

  WorkerLoop(const WorkerOptions& options, ServedFlows& flows, FlowWorkers::Place& place,
             WorkerStore& store, StepRunner& slots, spdlog::logger& log, Calls calls,
             std::uint64_t& next_ticket);

  enum class Ended { drained, lease_lost };

  /// Errors: unavailable, only when it is to stop while the database is away; internal, when the
  /// database refuses what was said: the worker's tasks count as lost once its lease lapsed.
  Result<Ended> run(WorkerId worker);

 private:
  bool must_end(Steady now);
  void read_flows(Steady now);
  Result<bool> reread(Steady now);
  bool is_barred(const OwnedRun& run, Steady now) const;
  void collect(Steady now);
  void settle(const Flights::Flight& flight, AttemptResult result, Steady ended);
  void advance_runs(Steady now);
  void end_run(RunKey key, OwnedRun& run);
  void pick();
  std::size_t room() const;
  bool has_news(Steady now) const;
  Result<void> speak();
  Result<ExchangeReply> exchange_until_answered(const ExchangeRequest& request);
  void take_over(const ExchangeReply& reply, std::size_t asked);
  Result<void> adopt(const std::vector<ClaimedRun>& claimed);
  void sweep(Steady now);
  std::chrono::milliseconds nap(Steady now) const;
  void forget();

  std::size_t window() const;

  const WorkerOptions& options_;
  ServedFlows& flows_;
  FlowWorkers::Place& place_;
  WorkerStore& store_;
  StepRunner& slots_;
  spdlog::logger& log_;
  const Calls calls_;
  std::uint64_t& next_ticket_;

  DatabaseClock clock_;
  std::map<RunKey, OwnedRun> runs_;
  std::map<std::pair<int, RunKey>, OwnedRun*> by_priority_;  ///< highest first, then oldest
  Flights flights_;
  std::deque<std::shared_ptr<Attempt>> finished_;   ///< from slots, not yet settled
  std::vector<std::shared_ptr<Attempt>> starting_;  ///< to be started once they are stated

  ExchangeRequest request_;
  std::size_t request_bytes_ = 0;
  bool more_waits_ = true;  ///< worth asking for runs: nothing says that there are none
  std::optional<Time> next_wake_at_;
  Steady renew_at_{}, poll_at_{}, sweep_at_{};
  std::optional<Steady> drain_until_;
  std::optional<Steady> flows_at_ = Steady{};  ///< when the registry is to be read
  std::optional<Steady> release_at_;           ///< when a plugin is barred no more
  std::optional<std::map<VersionId, std::optional<PluginId>>> told_;  ///< what serve_versions said
  bool flows_failed_ = false;                                         ///< the last time: told once
  double exchange_seconds_ = 0.001, task_seconds_ = 1.0;              ///< moving averages
};

}  // namespace weir
