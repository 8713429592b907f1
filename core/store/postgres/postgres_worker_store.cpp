#include "store/postgres/postgres_worker_store.hpp"

#include <utility>

#include "base/assert.hpp"
#include "base/iso8601.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/exchange.hpp"
#include "store/postgres/journal_rows.hpp"
#include "store/postgres/lasting_session.hpp"
#include "store/postgres/parameter.hpp"
#include "store/postgres/postgres_share_store.hpp"

namespace weir::postgres {
namespace {

constexpr const char* register_version_call =
    "select version_id from weir.register_version($1, $2, $3, $4::jsonb, $5::jsonb)";

constexpr const char* register_plugin_call = "select weir.register_plugin($1, $2)";

constexpr const char* join_call = "select weir.join_as_worker($1, $2::int, $3::int, $4::bigint)";

constexpr const char* start_child_call =
    "select weir.start_child($1::bigint, $2::bigint, $3::smallint, $4::smallint, $5, $6::jsonb)";

constexpr const char* close_waits_call =
    "select run_id, step, payload from weir.close_waits($1::bigint, $2::bigint[], $3::smallint[])";

constexpr const char* settled_call =
    "select " WEIR_JOURNAL_COLUMNS
    " from weir.journal where run_id = $1::bigint and step = $2::smallint and task_index = $3::int "
    "and attempt = $4::smallint";

constexpr const char* resolve_call =
    "select " WEIR_JOURNAL_COLUMNS
    " from weir.resolve_settlement($1::bigint, $2::bigint, $3::smallint, $4::int, $5::smallint, "
    "$6::smallint, $7::jsonb, $8, $9, $10::bigint, $11::timestamptz, $12::timestamptz, $13::int)";

constexpr const char* set_limits_call =
    "select weir.set_limits($1, $2::int, $3, $4, $5::int, $6, true)";

constexpr const char* serve_versions_call =
    "select weir.serve_versions($1::bigint, $2::int[], $3::int[])";

constexpr const char* adopt_older_call =
    "select version, moved, held, refusal from weir.adopt_older($1::int)";

constexpr const char* version_uses_call =  // a version that was never registered has no runs
    "select v.version, coalesce(v.safe_to_remove, true) "
    "from unnest($1::text[], $2::text[]) with ordinality as k(slug, fingerprint, place) "
    "left join weir.versions v on v.flow = k.slug and v.fingerprint = k.fingerprint order by "
    "k.place";

constexpr const char* report_plugins_call =
    "select weir.report_plugins($1, $2::int, $3::timestamptz, $4::jsonb)";

constexpr const char* journal_call =
    // One lateral query for each run, so that only the partition of that run is read.
    "select r.id, " WEIR_JOURNAL_COLUMNS
    " from unnest($1::bigint[]) as r(id) cross join lateral ("
    "select * from weir.journal j where j.run_id = r.id order by step, task_index, attempt offset "
    "0)"
    " as j";

constexpr const char* sweep_call = "select weir.sweep()";

constexpr const char* leave_call = "select weir.leave_as_worker($1::bigint)";

class PostgresWorkerStore final : public WorkerStore {
 public:
  PostgresWorkerStore(std::string url, bool listens, Doorbell doorbell)
      : session_(std::move(url), std::move(doorbell),
                 listens ? channels() : LastingSession::Channels()) {}

  Result<void> connect() { return session_.connect(); }

  Result<VersionId> register_version(const FlowDefinition& definition) override {
    const auto rows = session_.query(
        register_version_call,
        {definition.slug().string(), definition.module().string(), definition.fingerprint(),
         std::string(definition.canonical().text()), parameter(definition.input_schema())});
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<VersionId>();
  }

  Result<PluginId> register_plugin(const std::string& sha256, const std::string& path) override {
    const auto rows = session_.query(register_plugin_call, {sha256, path});
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<PluginId>();
  }

  Result<WorkerId> join(const WorkerIdentity& identity, std::chrono::milliseconds lease) override {
    const auto rows =
        session_.query(join_call, {identity.host, std::to_string(identity.pid),
                                   std::to_string(identity.slots), std::to_string(lease.count())});
    if (!rows) return std::unexpected(rows.error());
    worker_ = (*rows)[0][0].as<WorkerId>();
    return worker_;
  }

  Result<ExchangeReply> exchange(const ExchangeRequest& request) override {
    worker_ = request.worker;
    return postgres::exchange(session_, request);
  }

  Result<void> start_child(WorkerId worker, RunKey run, std::size_t step, int attempt,
                           const std::string& flow, const Json& input) override {
    const auto rows = session_.query(
        start_child_call, {std::to_string(worker), std::to_string(run), std::to_string(step),
                           std::to_string(attempt), flow, std::string(input.text())});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId worker, const std::vector<std::pair<RunKey, std::size_t>>& waits) override {
    ArrayLiteral runs, steps;
    for (const auto& [run, step] : waits) {
      runs.add(run);
      steps.add(step);
    }
    const auto rows =
        session_.query(close_waits_call, {std::to_string(worker), runs.text(), steps.text()});
    if (!rows) return std::unexpected(rows.error());
    std::map<std::pair<RunKey, std::size_t>, std::optional<Json>> closed;
    for (const auto& row : *rows)
      closed.emplace(std::pair(row[0].as<RunKey>(), row[1].as<std::size_t>()),
                     optional_json(row[2]));
    return closed;
  }

  Result<std::optional<JournalRow>> settled(RunKey run, TaskId task, int attempt) override {
    const auto rows =
        session_.query(settled_call, {std::to_string(run), std::to_string(task.step),
                                      std::to_string(task.index), std::to_string(attempt)});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::nullopt;
    return read_journal_row((*rows)[0]);
  }

  Result<std::optional<JournalRow>> resolve(WorkerId worker,
                                            const SettledAttempt& otherwise) override {
    const JournalRow& row = otherwise.row;
    const auto text = [](const std::string& given) {
      return given.empty() ? std::nullopt : std::optional(given);
    };
    const auto rows = session_.query(
        resolve_call,
        {std::to_string(worker), std::to_string(otherwise.run), std::to_string(row.task.step),
         std::to_string(row.task.index), std::to_string(row.attempt),
         std::to_string(static_cast<int>(row.outcome)), parameter(row.output), text(row.error_code),
         text(row.error), parameter(row.retry_after), iso8601(row.started_at),
         iso8601(row.ended_at), parameter(otherwise.plugin)});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::nullopt;
    return read_journal_row((*rows)[0]);
  }

  Result<void> set_limits(const std::string& flow, const FlowLimits& limits) override {
    const auto rows = session_.query(set_limits_call,
                                     {flow, parameter(limits.max_running), limits.rate, limits.key,
                                      parameter(limits.key_max_running), limits.key_rate});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  Result<void> serve_versions(
      WorkerId worker, const std::map<VersionId, std::optional<PluginId>>& versions) override {
    ArrayLiteral ids, plugins;
    for (const auto& [version, plugin] : versions) {
      ids.add(version);
      plugins.add(plugin);
    }
    const auto rows =
        session_.query(serve_versions_call, {std::to_string(worker), ids.text(), plugins.text()});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  Result<std::vector<AdoptedVersion>> adopt_older(VersionId version) override {
    const auto rows = session_.query(adopt_older_call, {std::to_string(version)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<AdoptedVersion> adopted;
    for (const auto& row : *rows)
      adopted.push_back({.version = row[0].as<int>(),
                         .moved = row[1].as<std::int64_t>(),
                         .held = row[2].as<std::int64_t>(),
                         .refusal = optional_of<std::string>(row[3])});
    return adopted;
  }

  Result<std::vector<VersionUse>> version_uses(
      std::span<const std::pair<std::string, std::string>> versions) override {
    ArrayLiteral slugs, fingerprints;
    for (const auto& [slug, fingerprint] : versions) {
      slugs.add_text(slug);
      fingerprints.add_text(fingerprint);
    }
    const auto rows = session_.query(version_uses_call, {slugs.text(), fingerprints.text()});
    if (!rows) return std::unexpected(rows.error());
    std::vector<VersionUse> uses;
    for (const auto& row : *rows)
      uses.push_back({.version = optional_of<int>(row[0]), .safe_to_remove = row[1].as<bool>()});
    WEIR_ASSERT(uses.size() == versions.size());
    return uses;
  }

  Result<void> report_plugins(const ReportingProcess& process,
                              const std::optional<Json>& plugins) override {
    const auto rows =
        session_.query(report_plugins_call, {process.host, std::to_string(process.pid),
                                             iso8601(process.started_at), parameter(plugins)});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  Result<std::map<RunKey, std::vector<JournalRow>>> journal(std::span<const RunKey> runs) override {
    const auto rows = session_.query(journal_call, {array_of(runs)});
    if (!rows) return std::unexpected(rows.error());
    std::map<RunKey, std::vector<JournalRow>> found;
    for (const auto& row : *rows) found[row[0].as<RunKey>()].push_back(read_journal_row(row, 1));
    return found;
  }

  Result<int> sweep() override {
    const auto rows = session_.query(sweep_call);
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<int>();
  }

  Result<void> leave(WorkerId worker) override {
    const auto rows = session_.query(leave_call, {std::to_string(worker)});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  // Notifications for other workers do not count.
  bool wait(std::chrono::milliseconds limit) override {
    return session_.wait(limit, [this] { return std::exchange(ready_, false) || told_; });
  }

  bool take_told() override { return std::exchange(told_, false); }

  ShareStore* shares() noexcept override { return &shares_; }

  void wake() noexcept override { session_.wake(); }

 private:
  LastingSession::Channels channels() {
    return {{"weir_ready", [this](std::string_view) { ready_ = true; }},
            {"weir_told", [this](std::string_view worker) {
               if (worker == std::to_string(worker_)) told_ = true;
             }}};
  }

  WorkerId worker_ = 0;  ///< the worker whose notifications set told_
  bool ready_ = false, told_ = false;
  LastingSession session_;
  PostgresShareStore shares_{session_};
};

}  // namespace

Result<std::unique_ptr<WorkerStore>> open_worker_store(const std::string& url,
                                                       WorkerSession session) {
  auto doorbell = Doorbell::make();
  if (!doorbell) return std::unexpected(std::move(doorbell.error()));
  auto store = std::make_unique<PostgresWorkerStore>(url, session.listens, *std::move(doorbell));
  if (session.connects_now)
    if (const auto connected = store->connect(); !connected)
      return std::unexpected(connected.error());
  return store;
}

}  // namespace weir::postgres
