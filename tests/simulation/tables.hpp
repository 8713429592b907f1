#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "definition/flow_limits.hpp"
#include "store/flow_store.hpp"
#include "store/share_store.hpp"
#include "store/worker_store.hpp"

namespace weir::simulation {

using FlowId = std::int32_t;

struct FlowRow {
  std::string slug;
  bool paused = false;
  std::vector<VersionId> versions;  // by number: the first is number 1
  std::optional<VersionId> last_offered = {};
};

struct VersionRow {
  FlowId flow = 0;
  int number = 1;
  std::shared_ptr<const FlowDefinition> definition;  // as registered most recently
  Time created_at{};
};

struct ParentLink {
  RunKey run = 0;
  std::size_t step = 0;
  int attempt = 1;
  friend auto operator<=>(const ParentLink&, const ParentLink&) = default;
};

struct RunRow {
  std::string id;  // UUID
  VersionId version = 0;
  std::optional<RunStatus> status;  // none: open
  int priority = 0;
  Json input;
  std::optional<Json> output;
  std::string error, note;
  std::optional<std::size_t> failed_step;
  std::vector<std::string> tags;
  Time created_at{}, available_at{};
  std::optional<Time> started_at, ended_at;
  std::optional<ParentLink> parent;
  int parent_news = 0;  // of a child run that ended: the parent's news that tells of it
};

struct SentSignal {
  Json payload;
  int news = 0;  // the run's news that tells of it
};

struct OpenRunRow {
  std::optional<Time> wake_at;
  std::optional<WorkerId> worker;
  std::int64_t claimed_in = 0;
  int claims = 0;
  std::optional<Time> started_at;
  int news = 0, news_heard = 0;
  std::optional<std::string> cancel_reason;
};

struct WorkerRow {
  WorkerIdentity identity;
  Time started_at{}, lease_until{}, heard_at{};
  Duration lease{};
  bool spared = false;  // once, until it is heard
  int timeline = 1;     // of the server when it joined
  std::int64_t sequence = 0;
  bool idle = false;
  std::vector<InFlightTask> in_flight;
  std::optional<Time> ended_at;
  std::string end_reason;
  bool keeps_runs = false;  // of suspects, for a trial; until lease_until
};

struct StoredRow {
  JournalRow row;
  WorkerId worker = 0;  // 0: written by a command
};

using RowKey = std::pair<TaskId, int>;  // task and attempt
using Journal = std::map<RowKey, StoredRow>;

struct ShareRow {
  RunKey run = 0;
  VersionId version = 0;
  int priority = 0;
  std::size_t step = 0;
  int attempt = 1;
  std::size_t first = 0, last = 0;
  std::size_t open = 0;  // not settled when it was offered, taken or settled last
  std::vector<Json> inputs;
  std::optional<WorkerId> worker;
  Time taken_at{};
};

// Attempts of shared elements that the owner of the run has not acknowledged.
struct ShareNewsRow {
  RunKey run = 0;
  std::size_t step = 0;
  int attempt = 1;
  std::vector<std::size_t> indexes;
};

using SettlementId = std::int64_t;

// What a handler's transaction, which is open, will journal when it commits.
struct OpenSettlementRow {
  WorkerId worker = 0;
  RunKey run = 0;
  JournalRow row;
  bool owned = false, shared = false;  // the run is its worker's, or a share that has the attempt
};

struct LimitRate {
  std::int64_t count = 1;
  Duration per{};
};

// The limits of a flow, and what was claimed under its rates (C6).
struct FlowLimitRow {
  FlowLimits limits;
  std::vector<std::string> path = {};  // of the key
  bool by_config = false;
  std::optional<LimitRate> rate = {}, key_rate = {};
  std::optional<Time> tat = {};  // theoretical arrival time
  std::map<std::string, std::optional<Time>> key_tats = {};
  std::string turn = {};  // the key that was served last
};

// How late a tick may be started before it counts as missed.
inline constexpr Duration schedule_grace = std::chrono::seconds(15);

struct ScheduleRow {
  std::string flow;
  Duration every{};
  Json input;
  bool runs_missed = true;  // one run for all ticks that were missed; or none
  bool paused = false;
  Time next_at{};
};

struct PluginReportRow {
  Json plugins;
  Time reported_at{};
};

// The data of a database, without its functions.
struct Tables {
  std::map<FlowId, FlowRow> flows;
  std::map<VersionId, VersionRow> versions;
  std::map<PluginId, std::string> plugins;  // sha256
  std::map<WorkerId, WorkerRow> workers;
  std::map<WorkerId, std::map<VersionId, ServedVersion>> serving;
  std::map<RunKey, RunRow> runs;
  std::map<std::string, RunKey> run_ids;
  std::map<RunKey, OpenRunRow> open_runs;
  std::map<std::pair<FlowId, std::string>, RunKey> idempotency;
  std::map<RunKey, Journal> journal;
  std::map<std::pair<RunKey, std::size_t>, SentSignal> signals;
  std::set<std::pair<RunKey, std::size_t>> closed_waits;  ///< too late for a signal
  std::map<ParentLink, RunKey> children;
  std::map<VersionId, VersionId> adoptions;
  std::map<ShareId, ShareRow> shares;
  std::map<std::int64_t, ShareNewsRow> share_news;
  std::map<FlowId, FlowLimitRow> limits;
  std::map<std::string, ScheduleRow> schedules;
  std::map<SettlementId, OpenSettlementRow> settlements;
  std::set<std::tuple<RunKey, TaskId, int>> effects;  // what handlers committed with settlements
};

}  // namespace weir::simulation
