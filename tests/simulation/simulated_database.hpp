#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "simulation/mistake.hpp"
#include "simulation/tables.hpp"
#include "store/crashed_worker.hpp"
#include "store/run_store.hpp"
#include "store/schedule.hpp"
#include "store/worker_store.hpp"

namespace weir::simulation {

// Observes what is committed, to check it against the rules. Called inside the commit.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void opened(RunKey) {}                           // started, or retried
  virtual void before_exchange(const ExchangeRequest&) {}  // about to be committed
  virtual void commit_begins() {}                          // another commit that journals rows
  // Worker 0: by a command. `told`: the run's owner knows of it, others have yet to tell it.
  // `stated`: when the attempt ended as its worker has it; the row may say an earlier time.
  virtual void journaled(RunKey, const JournalRow&, WorkerId, [[maybe_unused]] bool told,
                         [[maybe_unused]] Time stated) {}
  virtual void settled(RunKey, TaskId, [[maybe_unused]] int attempt) {}  // by its handler
  virtual void claimed(const std::vector<RunKey>&) {}
  virtual void limited(FlowId) {}                    // its limits have changed
  virtual void offered(RunKey) {}                    // elements of it, to other workers
  virtual void shared(WorkerId, const ShareRow&) {}  // by the owner of the run
  virtual void taken(WorkerId, const ShareRow&) {}   // it is about to be the worker's
  virtual void ended(RunKey) {}                      // its row has the result
  virtual void scheduled(const std::string&) {}      // a schedule has changed
  virtual void ticked(const std::string&, Time, [[maybe_unused]] bool created) {}
  virtual void prunes(RunKey, Duration) {}  // is about to be deleted, under that age
  virtual void pruned(RunKey) {}
  virtual void left(WorkerId) {}          // it is ended by a sweep
  virtual void worker_ended(WorkerId) {}  // its row has the reason
  virtual void resumed(WorkerId) {}       // it knows what it holds
};

// A database in memory that does what the SQL functions of schemas/functions do. Each member is one
// commit: complete or, with an error, without effect. It does not know what comes next in a run.
//
// Threads: one at a time.
class SimulatedDatabase {
 public:
  struct Environment {
    std::function<Time()> now;
    std::function<std::uint64_t()> random;
    std::function<void()> notify_ready;           // on channel weir_ready
    std::function<void(WorkerId)> notify_worker;  // on channel weir_told
    // Whether a transaction of somebody else has locked a run's row at the moment.
    std::function<bool()> row_is_locked = [] { return false; };
    // `waits`: whoever commits waits until no crash of the server can lose it.
    std::function<void(bool waits)> before_commit = [](bool) {};
    Mistake mistake = Mistake::none;
    Witness* witness = nullptr;
  };
  explicit SimulatedDatabase(Environment environment);

  // Requests of workers.
  Result<VersionId> register_version(const FlowDefinition& definition);
  PluginId register_plugin(const std::string& sha256);
  WorkerId join(const WorkerIdentity& identity, std::chrono::milliseconds lease);
  Result<ExchangeReply> exchange(const ExchangeRequest& request);
  Result<std::vector<RunKey>> resume(WorkerId worker, std::int64_t sequence, std::int64_t settled,
                                     std::chrono::milliseconds lease);
  // False: the run is locked.
  Result<bool> record_large(WorkerId worker, const LargeWrite& write);
  Result<void> renew(WorkerId worker, std::chrono::milliseconds lease);
  Result<void> start_child(WorkerId worker, const ChildStart& child);
  std::map<RunKey, std::vector<JournalRow>> journal(std::span<const RunKey> runs) const;
  Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId worker, const std::vector<std::pair<RunKey, std::size_t>>& waits);
  void serve_versions(WorkerId worker, std::map<VersionId, ServedVersion> versions);
  int sweep();
  void leave(WorkerId worker);
  bool end_crashed_worker(const CrashedWorker& crashed);

  // Shares (L7).
  Result<Helpers> helpers_for(WorkerId worker, RunKey run);
  Result<void> offer_shares(WorkerId worker, RunKey run, const std::vector<OfferedRange>& ranges);
  Result<std::vector<HeldRange>> take_back_shares(WorkerId worker, const std::vector<RunKey>& runs);
  Result<std::vector<ShareResult>> fetch_share_results(
      WorkerId worker, const std::vector<RunKey>& runs,
      const std::vector<std::int64_t>& acknowledged);
  Result<void> drop_shares(WorkerId worker, RunKey run, std::size_t step);
  Result<std::vector<TakenShare>> take_shares(WorkerId worker,
                                              const std::vector<VersionId>& versions,
                                              std::size_t count,
                                              const std::vector<RunKey>& known_runs);
  std::vector<ShareId> held_shares(WorkerId worker) const;
  Result<std::size_t> settle_share(WorkerId worker, ShareId id,
                                   const std::vector<JournalRow>& rows);
  Result<void> return_share(WorkerId worker, ShareId id, std::size_t from);

  // Settlements (C9). settle() leaves a transaction open, which end_settlement() ends.
  Result<SettlementId> settle(WorkerId worker, RunKey run, ShareId share, TaskId task, int attempt,
                              const Json& output, Time started_at, Time settle_until);
  // False: there is no such transaction, since a crash of the server has ended it.
  bool end_settlement(SettlementId id, bool commit);
  Result<std::optional<JournalRow>> resolve(WorkerId worker, const SettledAttempt& otherwise);

  // Upkeep (C5, C7).
  void put_schedule(const std::string& name, ScheduleRow row);
  TickReport tick();
  std::optional<RunKey> prune(Duration age, std::size_t batch, RunKey after);

  // Limits (C6).
  Result<void> set_limits(const std::string& slug, const FlowLimits& wanted, bool by_config);

  // Requests of people.
  Result<std::vector<StartedRun>> start(const std::string& flow, const std::vector<Json>& inputs,
                                        const StartOptions& options);
  Result<bool> cancel(const std::string& id, const std::string& reason);
  Result<bool> signal(const std::string& id, const std::string& name, const Json& payload);
  Result<std::int64_t> retry(const std::string& id);
  Result<bool> set_paused(const std::string& flow, bool paused);

  // Versions (V3, V4).
  Result<Adoption> adopt(const std::string& slug, int from, std::optional<int> to);
  std::vector<AdoptedVersion> adopt_older(VersionId version);
  std::vector<VersionReport> versions(const std::string& slug) const;
  std::vector<std::string> flows_with_open_runs() const;

  // The server comes up again after a crash with what it has of its data; transactions that were open
  // are not. Or a standby comes up instead of it.
  void come_up(Tables data, bool standby);

  const Tables& tables() const noexcept { return tables_; }
  const VersionRow& version(VersionId id) const { return tables_.versions.at(id); }
  const std::string& slug_of(VersionId id) const { return tables_.flows.at(version(id).flow).slug; }
  const FlowRow* flow(const std::string& slug) const;
  Time now() const { return environment_.now(); }
  int timeline() const noexcept { return timeline_; }  // 1, and one more for each failover
  bool is_alive(WorkerId worker) const;
  bool may_settle(WorkerId worker) const;  // also after an outage that nobody has noticed yet
  // The share of the worker that has this attempt; null: it holds none.
  const ShareRow* share_of(WorkerId worker, RunKey run, TaskId task, int attempt) const;
  bool holds_share(ShareId id, WorkerId worker, RunKey run, TaskId task, int attempt) const;

  Error unknown_flow(const std::string& slug, std::optional<int> version) const;
  Result<VersionId> version_to_start(const std::string& slug, std::optional<int> number) const;
  VersionId version_for_starts(FlowId flow) const;

 private:
  Result<RunKey> find_run(const std::string& id) const;
  Result<void> check_input(VersionId version, const Json& input) const;
  RunKey make_run(VersionId version, const Json& input, const std::string& id, Time created_at,
                  Time available_at, int priority, const std::vector<std::string>& tags,
                  std::optional<ParentLink> parent = {});
  std::string new_run_id();
  JournalRow in_own_time(JournalRow row) const;
  void append(RunKey run, JournalRow row, WorkerId worker, bool told = true);
  void close(RunKey run, const RunEnd& end);
  void release(RunKey run);
  bool release_all(WorkerId worker, const std::set<RunKey>& kept = {});
  void end_worker(WorkerId worker, const char* reason);
  void commits(bool waits = true) { environment_.before_commit(waits); }
  void notice_outage(std::optional<WorkerId> worker = {});
  bool may_be_spared(const WorkerRow& worker) const;  // nobody has swept for long
  void spare_workers();
  void claim(const ExchangeRequest& request, const std::set<VersionId>& paused);
  std::vector<RunKey> take_suspects(const ExchangeRequest& request,
                                    const std::set<VersionId>& paused);
  void take(RunKey run, const ExchangeRequest& request);
  std::map<RunKey, InFlightTask> begun_by(const ExchangeRequest& request,
                                          const std::vector<RunKey>& claimed) const;
  std::vector<RunKey> take_candidates(const ExchangeRequest& request,
                                      const std::set<VersionId>& paused,
                                      std::optional<Time>& next_at);
  std::int64_t places_left(FlowId flow, const std::optional<std::int64_t>& limit,
                           const std::vector<std::string>* path, const std::string& key) const;
  std::vector<RunKey> allowed_runs(FlowId flow, const std::vector<RunKey>& waiting,
                                   std::size_t claims_max, std::optional<Time>& next_at);
  void charge_limits(const std::vector<RunKey>& claimed);
  void free_place(RunKey run);
  void delete_run(RunKey run);
  RunNotifications notifications_of(RunKey run) const;
  void notify_runs(const std::vector<RunKey>& runs);
  void number_child_ends(const std::vector<RunKey>& ended);
  void cancel_runs(const std::vector<RunKey>& runs, const std::string& reason);
  std::vector<RunKey> open_children(RunKey run) const;
  void cancel_children(const std::vector<RunKey>& parents);
  Result<void> check_lease(WorkerId worker);
  Result<void> check_owner(WorkerId worker, RunKey run, const char* what);
  std::vector<std::size_t> open_elements(const ShareRow& share) const;
  void notify_share_owner(RunKey run, ShareNewsRow news);
  void end_shares(RunKey run, std::optional<std::size_t> step);
  void release_shares(WorkerId worker);
  void end_runs(const std::vector<EndedRun>& ends);
  // Whether the transaction of a handler has locked it (C9).
  bool is_locked(RunKey run) const;
  bool is_locked(const ShareRow& share) const;
  bool is_locked_tree(RunKey run) const;
  static Error locked();
  void wake_workers();
  std::optional<std::string> incompatibility(VersionId from, VersionId to) const;
  std::int64_t move_adopted(VersionId from, VersionId to);
  VersionId adopted(VersionId version) const;
  std::optional<VersionId> offered_version(FlowId flow) const;

  Environment environment_;
  Witness silent_;
  Witness* witness_;
  Tables tables_;
  // Of the server, not of its data.
  bool noticed_ = false;  // that it came up: leases count from then
  int timeline_ = 1;
  std::optional<Time> swept_at_;
  WorkerId last_worker_ = 0;
  FlowId last_flow_ = 0;
  VersionId last_version_ = 0;
  RunKey last_run_ = 0;
  ShareId last_share_ = 0;
  std::int64_t last_share_news_ = 0;
  SettlementId last_settlement_ = 0;
  std::vector<std::pair<WorkerId, SettledAttempt>> late_;  // for Mistake::journals_late
};

// The key of a run by the limits of its flow: "=" and the text at that path of its input, or "-".
std::string limit_key(const std::vector<std::string>& path, const Json& input);

Error sim_error(ErrorCode code, std::string kind, std::string message, std::string hint);
Error sim_invalid(std::string message, std::string hint);

}  // namespace weir::simulation
