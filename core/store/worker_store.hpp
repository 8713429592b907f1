#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "run/ids.hpp"
#include "run/journal_row.hpp"
#include "run/run_state.hpp"

namespace weir {

class FlowStore;
class PluginStore;
class ShareStore;

/// Describes a worker to people who read weir.workers.
struct WorkerIdentity {
  std::string host;
  int pid = 0;
  std::size_t slots = 1;
  std::size_t async_calls = 0;  ///< how many deferred calls it may have beside its slots (A4)
  /// The crashed workers whose suspects it tries (F10): it claims the runs that they keep, and no
  /// others. Empty: it claims as every worker does.
  std::vector<WorkerId> trial_of = {};
};

struct SettledAttempt {
  RunKey run = 0;
  JournalRow row;
  std::optional<PluginId> plugin;
  ShareId share = 0;  ///< for write_large(): the share that it is of; 0: of a run of the worker
};

/// What may have to do with a run: what is false is certain not to exist, and nobody looks for it.
struct Relations {
  bool parent = true;    ///< a run that waits for it (C8)
  bool children = true;  ///< child runs of it
  bool shares = true;    ///< shares of its maps (L7)
  bool operator==(const Relations&) const = default;
};

struct EndedRun {
  RunKey run = 0;
  RunEnd end;
  Relations relations = {};
};

/// The wake-up time of a run that wakes only on a notification: a signal, the end of a child run, a
/// cancel.
constexpr Time on_notification_only = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);

/// A run that its worker releases: claimable again at `wake_at`, or immediately without one; and as
/// soon as there is a notification for it.
struct ReleasedRun {
  RunKey run = 0;
  std::optional<Time> wake_at;
};

struct InFlightTask {
  RunKey run = 0;
  TaskId task;
  int attempt = 1;
  std::optional<PluginId> plugin = {};  ///< whose code runs it

  bool operator==(const InFlightTask&) const = default;
};

/// An event to publish to listeners (E1), by event_name(). Only a hint: the tables are the truth.
struct PublishedEvent {
  RunKey run = 0;
  std::string name;
};

/// The start of a child run, of an attempt of a flow step.
struct ChildStart {
  RunKey parent = 0;
  std::size_t step = 0;
  int attempt = 1;
  std::string flow;
  Json input;
};

/// How a child run ended (C8).
struct ChildRunEnd {
  std::string id{};  ///< UUID
  RunStatus status = RunStatus::completed;
  Json output{};        ///< of a completed one
  std::string error{};  ///< of a failed or cancelled one
};

/// The notifications of a run: what others did to it while a worker owned it, or before that worker
/// claimed it. Signals and ends of child runs are those that were not acknowledged, and that the
/// journal does not have.
struct RunNotifications {
  int count = 0;                              ///< how many notifications there have been
  std::optional<std::string> cancelled = {};  ///< the run must end: the reason (C1)
  std::map<std::size_t, Json> signals = {};   ///< payloads by wait step, begun or not (C4)
  std::map<std::pair<std::size_t, int>, ChildRunEnd> children = {};  ///< ended, by step and attempt
};

/// Acknowledges notifications of a run, so that they are not sent again.
struct Acknowledgement {
  RunKey run = 0;
  int count = 0;  ///< RunNotifications::count
};

/// Everything that a worker sends with one call, which is one commit. Repeating a request with the
/// same sequence number is harmless (L6).
struct ExchangeRequest {
  WorkerId worker = 0;
  std::int64_t sequence = 0;  ///< 1, 2, 3 …, for each worker
  std::chrono::milliseconds lease{};
  std::vector<SettledAttempt> settled;
  std::vector<EndedRun> ended;
  /// One that has notifications which were not acknowledged is claimable immediately.
  std::vector<ReleasedRun> released;
  std::vector<Acknowledgement> acknowledged = {};
  std::vector<PublishedEvent> events = {};  ///< in order: parents before children
  /// Everything that runs or is about to run, not only the changes.
  std::vector<InFlightTask> in_flight;
  std::vector<VersionId> versions;  ///< what it can run (L4)
  std::size_t claims_max = 0;
  /// Of `versions`, those of which nothing is claimed, because it would wait here (A8).
  std::vector<VersionId> crowded = {};
  /// Of how many claimed runs at most the first step is stated as in flight by the same call, where
  /// nobody had the run before, and serve_versions() has told what its version begins with.
  std::size_t begins_max = 0;
  /// Some of the runs that end or are released were busy before: no time is lost in waiting for
  /// them again.
  bool expects_busy = false;
};

/// What is large of one run: the result of an attempt that completed, or the end of a run that did.
using LargeWrite = std::variant<SettledAttempt, EndedRun>;

/// Whether it is the result of that attempt, of a share or (0) of a run of the worker.
inline bool is_result(const LargeWrite& write, RunKey run, TaskId task, int attempt,
                      ShareId share) {
  const auto* const settled = std::get_if<SettledAttempt>(&write);
  return settled != nullptr && settled->run == run && settled->row.task == task &&
         settled->row.attempt == attempt && settled->share == share;
}

struct LargeWritten {
  LargeWrite write;
  /// Errors: lease_lost, also when the worker does not own the run; invalid_input, kind
  /// "refused_value": the database cannot store the value, and nothing was written.
  Result<void> result;
};

struct ClaimedRun {
  RunKey run = 0;
  std::string id;  ///< UUID
  VersionId version = 0;
  int priority = 0;
  Json input;
  Time available_at{};
  bool has_history = false;  ///< it was claimed before: read its journal
  bool has_parent = true;    ///< false: certainly not
  /// The step whose first attempt was stated as in flight with the claim: it may begin.
  std::optional<std::size_t> begun = {};
  RunNotifications notifications = {};
};

struct ExchangeReply {
  Time now{};                        ///< the database's
  std::optional<Time> next_wake_at;  ///< when the next sleeping run is due
  std::vector<ClaimedRun> claimed;   ///< by priority, then age
  std::size_t contended = 0;         ///< runs that others were claiming: try again soon
  /// Of owned runs with unacknowledged notifications.
  std::map<RunKey, RunNotifications> notifications = {};
  std::vector<VersionId> paused = {};  ///< of `versions`: no task of them may start (C2)
  bool has_listeners = false;          ///< there are listeners for events
  /// Runs that could not be ended or released, because a transaction of somebody else has locked
  /// them, or a run or a share that their end concerns: what was settled of them is in the journal;
  /// their end or release and their events are to be sent again.
  std::set<RunKey> busy = {};
  /// Runs of which the database cannot store a value, with what it said. Nothing was written of
  /// their end; of what was settled of them everything or nothing.
  std::map<RunKey, std::string> refused = {};
};

/// The kind of an error lease_lost of exchange: the database has lost commits of the worker, and
/// nothing was written. The worker may resume().
inline constexpr std::string_view commits_lost = "commits_lost";

/// What a worker requests of a database for its runs. One object is one session, which others use
/// for their part: flows(), plugins(), shares().
///
/// Errors of every call: unavailable (repeat the same call: its outcome is unknown, and exchange
/// can be repeated whatever it was), lease_lost (only exchange, and calls that say so).  [one
/// thread at a time, except wake()]
class WorkerStore {
 public:
  virtual ~WorkerStore() = default;

  virtual Result<WorkerId> join(const WorkerIdentity& identity,
                                std::chrono::milliseconds lease) = 0;
  virtual Result<ExchangeReply> exchange(const ExchangeRequest& request) = 0;

  /// Begins exchange(), whose reply take_reply() returns once; the current or the next wait() ends when
  /// it is there. Until then `request` must neither change nor end, and nothing may be called but
  /// take_reply(), wait(), which returns false then, wake(), and what is about large values. A store
  /// may exchange at once.
  virtual void send_exchange(const ExchangeRequest& request) { reply_ = exchange(request); }
  /// nullopt: it is not there yet.
  virtual std::optional<Result<ExchangeReply>> take_reply() {
    return std::exchange(reply_, std::nullopt);
  }

  /// After exchange() returned commits_lost: the database takes `sequence` for the worker's last
  /// exchange, and returns the runs that the worker holds. The worker drops all others. `settled` is
  /// its last exchange that settled, ended or released something. Errors: lease_lost, also when more
  /// was lost than exchanges after `settled`.
  virtual Result<std::vector<RunKey>> resume(WorkerId worker, std::int64_t sequence,
                                             std::int64_t settled,
                                             std::chrono::milliseconds lease) = 0;

  /// Starts the child runs of flow steps' attempts, and renews the lease; a repeated call starts
  /// none a second time (C8). Their ends arrive as notifications of their parents. Returns, in the
  /// order of `children`, what became of each. Errors of one: not_found for the flow,
  /// invalid_input, lease_lost when the worker does not own the parent; unavailable with kind
  /// "try_again" while a transaction of somebody else has locked the parent. Errors: lease_lost.
  virtual Result<std::vector<Result<void>>> start_children(
      WorkerId worker, std::chrono::milliseconds lease,
      const std::vector<ChildStart>& children) = 0;

  /// Closes waits, by run and step, whose time is over: no signal is accepted for them any more.
  /// Returns, for each wait that is decided, the payload of its signal, or nullopt when none came
  /// in time; a repeated call returns the same (C4). Call again for those that are not in the
  /// result. Errors: lease_lost.
  virtual Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId worker, const std::vector<std::pair<RunKey, std::size_t>>& waits) = 0;

  /// Decides the outcome of an attempt whose handler settles it in a transaction of its own (C9):
  /// returns the row that was committed, or else journals `otherwise` and returns that; nullopt
  /// while that transaction is open: call again. It never waits for that transaction, and can be
  /// repeated whatever happened. Errors: lease_lost, also when the worker does not own the run.
  virtual Result<std::optional<JournalRow>> resolve(WorkerId worker,
                                                    const SettledAttempt& otherwise) = 0;

  /// Writes what is large of a run that the worker owns while calls continue, in a transaction and a
  /// session of its own: it may take seconds. One is written after the other. What is locked, or
  /// that the database is away, is no error: it is repeated. take_written() returns it when it is
  /// over, and the current or the next wait() ends.
  virtual void write_large(WorkerId worker, LargeWrite write) = 0;
  /// Those that are over, since the last call.
  virtual std::vector<LargeWritten> take_written() = 0;
  /// Takes back a result that was given to write_large(), unless it is over, is being written or may
  /// have been. True: it is not written, and take_written() will not return it.
  virtual bool withdraw_large(RunKey run, TaskId task, int attempt, ShareId share) = 0;
  /// Those that are not over will not be returned; they are written, or they are not.
  virtual void forget_large() = 0;

  /// The rows of each run, ordered by step, index and attempt: an order RunState can fold. Runs
  /// without rows are absent.
  virtual Result<std::map<RunKey, std::vector<JournalRow>>> journal(
      std::span<const RunKey> runs) = 0;

  /// Ends lapsed workers and frees what they held (L3), except after an outage (L1). To be called
  /// three times in a lease. Returns how many.
  virtual Result<int> sweep() = 0;

  /// Ends the worker; the runs that it still owns are free immediately, and no attempt is charged
  /// (L5).
  virtual Result<void> leave(WorkerId worker) = 0;

  /// Returns when the database notifies that there may be runs (true), when wake() was called since
  /// the last wait, or after `limit`; immediately when the session turns out to be broken (true, so
  /// that the caller exchanges).
  virtual bool wait(std::chrono::milliseconds limit) = 0;

  /// Whether the database announced, since the last call, notifications for the worker's own runs:
  /// the next exchange returns them.
  virtual bool take_notified() { return false; }

  /// The flows that the worker can run. Lives as long as the store.
  virtual FlowStore& flows() noexcept = 0;

  /// The plugin files of the worker's process. Lives as long as the store.
  virtual PluginStore& plugins() noexcept = 0;

  /// Shares wide work (L7); null: this store does not support sharing. Lives as long as the store.
  virtual ShareStore* shares() noexcept { return nullptr; }

  /// Ends the current wait, or the next one.  [any thread]
  virtual void wake() noexcept = 0;

 private:
  std::optional<Result<ExchangeReply>> reply_;
};

}  // namespace weir
