#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "definition/flow_definition.hpp"
#include "definition/flow_limits.hpp"
#include "run/ids.hpp"
#include "run/journal_row.hpp"
#include "run/run_state.hpp"
#include "store/reported_plugin.hpp"
#include "store/version_report.hpp"

namespace weir {

class ShareStore;

/// Who a worker is, for people who read weir.workers.
struct WorkerIdentity {
  std::string host;
  int pid = 0;
  std::size_t slots = 1;
};

struct SettledAttempt {
  RunKey run = 0;
  JournalRow row;
  std::optional<PluginId> plugin;
};

struct EndedRun {
  RunKey run = 0;
  RunEnd end;
};

/// When a run is to be claimed that only news can wake: a signal, a child's end, a cancel.
constexpr Time when_told = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);

/// A run given back: claimable again at `wake_at`, or at once; and whenever it is told something.
struct ReleasedRun {
  RunKey run = 0;
  std::optional<Time> wake_at;
};

struct InFlightTask {
  RunKey run = 0;
  TaskId task;
  int attempt = 1;
  std::optional<PluginId> plugin = {};  ///< whose code runs it
};

/// What happened, for those who listen (E1): event_name(). A hint: the tables are the truth.
struct StatedEvent {
  RunKey run = 0;
  std::string name;
};

/// How a child run ended (C8).
struct ChildRunEnd {
  std::string id{};  ///< UUID
  RunStatus status = RunStatus::completed;
  Json output{};        ///< of a completed one
  std::string error{};  ///< of a failed or cancelled one
};

/// What others did to a run while a worker held it, or before it took it: all of it each time, not
/// the changes alone.
struct RunNews {
  int count = 0;                              ///< how often anybody told something
  std::optional<std::string> cancelled = {};  ///< it is to end: the reason (C1)
  std::map<std::size_t, Json> signals = {};   ///< payloads by wait step, begun or not (C4)
  std::map<std::pair<std::size_t, int>, ChildRunEnd> children = {};  ///< ended, by step and attempt
};

/// News of a run that were taken in: they are not told again.
struct HeardNews {
  RunKey run = 0;
  int count = 0;  ///< RunNews::count
};

/// All that a worker has to say in one call, in one commit. Repeating a request with the same
/// sequence is harmless (L6).
struct ExchangeRequest {
  WorkerId worker = 0;
  std::int64_t sequence = 0;  ///< 1, 2, 3 …: of this worker
  std::chrono::milliseconds lease{};
  std::vector<SettledAttempt> settled;
  std::vector<EndedRun> ended;
  std::vector<ReleasedRun> released;  ///< news that were not heard free it at once
  std::vector<HeardNews> heard = {};
  std::vector<StatedEvent> events = {};  ///< in order: parents before children
  std::vector<InFlightTask>
      in_flight;                    ///< everything that runs or is about to, not the changes alone
  std::vector<VersionId> versions;  ///< what it can run (L4)
  std::size_t claims_max = 0;
};

struct ClaimedRun {
  RunKey run = 0;
  std::string id;  ///< UUID
  VersionId version = 0;
  int priority = 0;
  Json input;
  Time available_at{};
  bool has_history = false;  ///< was claimed before: read its journal
  RunNews news = {};
};

struct ExchangeReply {
  Time now{};                           ///< the database's
  std::optional<Time> next_wake_at;     ///< when the next sleeping run is due
  std::vector<ClaimedRun> claimed;      ///< by priority, then age
  std::size_t missed = 0;               ///< runs that others were just taking: ask again soon
  std::map<RunKey, RunNews> news = {};  ///< of runs it owns, where not all was heard
  std::vector<VersionId> paused = {};   ///< of `versions`: nothing of them is to be begun (C2)
  bool listened = false;                ///< somebody wants events
};

/// What a worker asks of a database. One object is one session.
///
/// Errors of every call: unavailable (try again, the same call: nothing is known to have happened,
/// and exchange can be repeated whatever happened), lease_lost (exchange alone). [one thread at a
/// time, but for wake()]
class WorkerStore {
 public:
  virtual ~WorkerStore() = default;

  /// The number of a definition's version, new or known (D6, D7). Errors: conflict (a slug that
  /// differs only in case).
  virtual Result<VersionId> register_version(const FlowDefinition& definition) = 0;
  virtual Result<PluginId> register_plugin(const std::string& sha256, const std::string& path) = 0;

  virtual Result<WorkerId> join(const WorkerIdentity& identity,
                                std::chrono::milliseconds lease) = 0;
  virtual Result<ExchangeReply> exchange(const ExchangeRequest& request) = 0;

  /// Starts the child run of a flow step's attempt, once however often it is called (C8). Its end
  /// comes as news of the run. Errors: not_found for the flow, invalid_input; lease_lost when the
  /// run is not the worker's.
  virtual Result<void> start_child(WorkerId worker, RunKey run, std::size_t step, int attempt,
                                   const std::string& flow, const Json& input) = 0;

  /// Closes waits, by run and step, whose time is over: no signal is taken for them any more. Of
  /// each that is decided the payload of its signal, nullopt when none came first; calling it
  /// again gives the same (C4). Those that are not among them are to be asked for again. Errors:
  /// lease_lost.
  virtual Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId worker, const std::vector<std::pair<RunKey, std::size_t>>& waits) = 0;

  /// The row of an attempt whose handler was handed the settling transaction, if that was
  /// committed (C9).
  virtual Result<std::optional<JournalRow>> settled(RunKey run, TaskId task, int attempt) = 0;

  /// Says what became of such an attempt: the row that was committed, or else `otherwise`, which is
  /// journaled then and there; nullopt while its handler's transaction is open: ask again. It never
  /// waits for that, and can be repeated whatever happened. Errors: lease_lost, also when the run
  /// is not the worker's.
  virtual Result<std::optional<JournalRow>> resolve(WorkerId, const SettledAttempt& otherwise) {
    return settled(otherwise.run, otherwise.row.task, otherwise.row.attempt);
  }

  /// What flows.yaml says of a flow's limits (C6): they hold for all workers from now on. Limits
  /// that were set by command give way to it where it says any. Errors: not_found for the flow.
  /// A store that hands out runs without looking at limits may leave it out.
  virtual Result<void> set_limits(const std::string& flow, const FlowLimits& limits) {
    static_cast<void>(flow), static_cast<void>(limits);
    return {};
  }

  /// Says what the worker can run from now on, and with which plugins, to people who look (V4).
  /// What it claims, exchange says.
  virtual Result<void> serve_versions(
      WorkerId worker, const std::map<VersionId, std::optional<PluginId>>& versions) = 0;

  /// Has the open runs of all older versions of its flow go on with this one, where they are
  /// compatible (V3). Tells of those alone that had open runs and weren't adopted before.
  virtual Result<std::vector<AdoptedVersion>> adopt_older(VersionId version) = 0;

  /// Of each, by slug and fingerprint, in order.
  virtual Result<std::vector<VersionUse>> version_uses(
      std::span<const std::pair<std::string, std::string>> versions) = 0;

  /// Replaces what the process said of its plugin files: an array of objects with the columns of
  /// weir.plugins; nullopt: it ends. To be repeated once a minute, else it is taken for silent.
  virtual Result<void> report_plugins(const ReportingProcess& process,
                                      const std::optional<Json>& plugins) = 0;

  /// Rows of each run by step, index and attempt: an order RunState can fold. Runs without rows are
  /// absent.
  virtual Result<std::map<RunKey, std::vector<JournalRow>>> journal(
      std::span<const RunKey> runs) = 0;

  /// Declares lapsed workers dead and frees what they held (L3). Returns how many.
  virtual Result<int> sweep() = 0;

  /// Ends the worker; what it still owns is free at once, uncharged (L5).
  virtual Result<void> leave(WorkerId worker) = 0;

  /// Returns when the database says that there may be runs (true), when wake() was called since the
  /// last wait, or after `limit`; at once when the session is found broken (true: ask again).
  virtual bool wait(std::chrono::milliseconds limit) = 0;

  /// Whether the database said, since this was asked last, that there is news of the worker's own
  /// runs: its next exchange brings them.
  virtual bool take_told() { return false; }

  /// Where wide work is shared (L7); null: this store knows no sharing. Lives as long as the store.
  virtual ShareStore* shares() noexcept { return nullptr; }

  /// Ends the wait that is under way, or the next one.  [any thread]
  virtual void wake() noexcept = 0;
};

}  // namespace weir
