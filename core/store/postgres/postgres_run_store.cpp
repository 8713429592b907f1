#include "store/postgres/postgres_run_store.hpp"

#include <fmt/core.h>

#include "base/nearest.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/fields.hpp"
#include "store/postgres/journal_rows.hpp"
#include "store/postgres/parameter.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

constexpr const char* start_call =
    "select run_id, created from weir.start_many($1, $2::jsonb[], $3::text[], $4::bigint * "
    "interval '1 ms', $9::timestamptz,"
    " $5::int, $6::int, $7::text[], $8::uuid[])";

constexpr const char* cancel_call = "select weir.cancel($1::uuid, $2)";
constexpr const char* signal_call = "select weir.signal($1::uuid, $2, $3::jsonb)";
constexpr const char* retry_call = "select weir.retry($1::uuid)";
constexpr const char* pause_call = "select weir.pause($1)";
constexpr const char* resume_call = "select weir.resume($1)";

constexpr const char* worker_list_call =
    "select worker_id, host, pid, slots, in_flight, runs, alive, "
    WEIR_MICROSECONDS("started_at") ", " WEIR_MICROSECONDS("lease_until") ", "
    WEIR_MICROSECONDS("ended_at") ", coalesce(end_reason, '') "
    "from weir.workers order by alive desc, ended_at desc nulls first, worker_id limit $1::bigint";

constexpr const char* flows_call = "select flow, version from weir.flows order by flow";

constexpr const char* flow_call =
    "select flow, version, fingerprint, input_schema from weir.definitions "
    "where flow = $1 and ($2::int is null or version = $2::int) order by version desc limit 1";

#define WEIR_SUMMARY_COLUMNS \
  "run_id, flow, version, status, error, " WEIR_MICROSECONDS("created_at") ", " \
  WEIR_MICROSECONDS("started_at") ", " WEIR_MICROSECONDS("ended_at") ", "       \
  WEIR_MICROSECONDS("wake_at") ", priority, array_to_json(tags), note, parent_run_id"

constexpr const char* runs_call =
    "select " WEIR_SUMMARY_COLUMNS
    " from weir.newest_runs($1, $2, $3, $4::timestamptz, $5::timestamptz, $6::jsonb, $7::jsonb, "
    "$8::bigint) as n(run) join weir.runs on number = n.run order by number desc";

constexpr const char* summary_call =
    "select " WEIR_SUMMARY_COLUMNS " from weir.runs where run_id = $1::uuid";

constexpr const char* report_call =
    "select " WEIR_SUMMARY_COLUMNS ", input, output from weir.runs where run_id = $1::uuid";

#undef WEIR_SUMMARY_COLUMNS

constexpr const char* steps_call =
    "select step, kind, status, tasks, tasks_completed, attempts,"
    " case when $2::boolean then output end, error, skip_reason, "
    WEIR_MICROSECONDS("started_at") ", " WEIR_MICROSECONDS("ended_at")
    ", array_to_json(depends_on), signal, " WEIR_MICROSECONDS("until") ", child_run_id, retried "
    "from weir.steps where run_id = $1::uuid order by position";

constexpr const char* versions_call =
    "select version, module, fingerprint, " WEIR_MICROSECONDS("created_at")
    ", open_runs, workers, array_to_json(plugins), adopted_by, newest, safe_to_remove "
    "from weir.versions where flow = $1 order by version desc";

constexpr const char* adopt_call =
    "select version, moved, held from weir.adopt($1, $2::int, $3::int)";

constexpr const char* plugins_call =
    "select host, pid, path, coalesce(sha256, ''), coalesce(plugin, ''), coalesce(version, ''), "
    "array_to_json(coalesce(flows, '{}')), state, coalesce(isolated, false), coalesce(kind, ''), "
    "coalesce(detail, ''), coalesce(hint, ''), " WEIR_MICROSECONDS("until") " from weir.plugins "
    "order by path, host, pid, sha256";

constexpr const char* recorded_call =
    "select r.flow, r.version, d.module, d.definition, r.input from weir.runs r "
    "join weir.definitions d on d.flow = r.flow and d.version = r.version "
    "where r.run_id = $1::uuid";

constexpr const char* recorded_rows_call =
    "select " WEIR_JOURNAL_COLUMNS " from weir.journal_of($1::uuid)";

constexpr const char* over_call =  // ids come back as they were written
    "select i.id from unnest($1::text[]) as i(id) left join weir.runs r on r.run_id = i.id::uuid "
    "where r.run_id is null or r.ended_at is not null";

constexpr const char* workers_call = "select count(*) from weir.workers where alive";

constexpr const char* version_call = "show server_version";

RunSummary read_summary(const pqxx::row& row) {
  return {.id = row[0].as<std::string>(),
          .flow = row[1].as<std::string>(),
          .version = row[2].as<int>(),
          .status = row[3].as<std::string>(),
          .error = optional_of<std::string>(row[4]),
          .created_at = time_of(row[5]),
          .started_at = optional_time(row[6]),
          .ended_at = optional_time(row[7]),
          .wake_at = optional_time(row[8]),
          .priority = row[9].as<int>(),
          .tags = texts_of(row[10]),
          .note = optional_of<std::string>(row[11]),
          .parent_run = optional_of<std::string>(row[12])};
}

VersionReport read_version(const pqxx::row& row) {
  return {.number = row[0].as<int>(),
          .module = row[1].as<std::string>(),
          .fingerprint = row[2].as<std::string>(),
          .created_at = time_of(row[3]),
          .open_runs = row[4].as<std::int64_t>(),
          .workers = row[5].as<std::int64_t>(),
          .plugins = texts_of(row[6]),
          .adopted_by = optional_of<int>(row[7]),
          .newest = row[8].as<bool>(),
          .safe_to_remove = row[9].as<bool>()};
}

ReportedPlugin read_plugin(const pqxx::row& row) {
  return {.host = row[0].as<std::string>(),
          .pid = row[1].as<int>(),
          .path = row[2].as<std::string>(),
          .sha256 = row[3].as<std::string>(),
          .plugin = row[4].as<std::string>(),
          .version = row[5].as<std::string>(),
          .flows = texts_of(row[6]),
          .state = row[7].as<std::string>(),
          .isolated = row[8].as<bool>(),
          .kind = row[9].as<std::string>(),
          .detail = row[10].as<std::string>(),
          .hint = row[11].as<std::string>(),
          .until = optional_time(row[12])};
}

StepReport read_step(const pqxx::row& row) {
  return {.slug = row[0].as<std::string>(),
          .kind = row[1].as<std::string>(),
          .status = row[2].as<std::string>(),
          .tasks = optional_of<std::int64_t>(row[3]),
          .tasks_completed = row[4].as<std::int64_t>(),
          .attempts = row[5].as<std::int64_t>(),
          .output = optional_json(row[6]),
          .error = optional_of<std::string>(row[7]),
          .skip_reason = optional_of<std::string>(row[8]),
          .started_at = optional_time(row[9]),
          .ended_at = optional_time(row[10]),
          .depends_on = texts_of(row[11]),
          .signal = optional_of<std::string>(row[12]),
          .until = optional_time(row[13]),
          .child_run = optional_of<std::string>(row[14]),
          .retried = row[15].as<std::int64_t>()};
}

std::optional<std::string> array_unless_empty(const std::vector<std::string>& texts) {
  return texts.empty() ? std::nullopt : std::optional(array_of(texts));
}

class PostgresRunStore final : public RunStore {
 public:
  explicit PostgresRunStore(std::string url) : url_(std::move(url)) {}

  Result<void> connect() {
    if (session_ && session_->is_open()) return {};
    session_.reset();
    auto opened = Session::open(url_);
    if (!opened) return std::unexpected(opened.error());
    session_ = *std::move(opened);
    return {};
  }

  Result<std::vector<StartedRun>> start(const std::string& flow, const std::vector<Json>& inputs,
                                        const StartOptions& options) override {
    ArrayLiteral texts;
    for (const Json& input : inputs) texts.add_text(input.text());
    const auto rows =
        query(start_call, {flow, texts.text(), array_unless_empty(options.idempotency_keys),
                           parameter(options.delay), std::to_string(options.priority),
                           parameter(options.version), array_of(options.tags),
                           array_unless_empty(options.run_ids), parameter(options.at)});
    if (!rows && session_ && !session_->is_open())  // the connection broke during the call
      return std::unexpected(
          Error{.code = ErrorCode::in_doubt,
                .kind = "start_in_doubt",
                .message = "the database went away during the start: " + rows.error().message,
                .hint = "the run may exist: check weir runs list, or start again with the same "
                        "idempotency key"});
    if (!rows) return std::unexpected(with_nearest(rows.error(), flow));
    std::vector<StartedRun> started;
    for (const auto& row : *rows) started.push_back({row[0].as<std::string>(), row[1].as<bool>()});
    return started;
  }

  Result<bool> cancel(const std::string& id, const std::string& reason) override {
    const auto rows = one_run(cancel_call, id, {reason});
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<bool>();
  }

  Result<bool> signal(const std::string& id, const std::string& name,
                      const Json& payload) override {
    const auto rows = one_run(signal_call, id, {name, std::string(payload.text())});
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<bool>();
  }

  Result<std::int64_t> retry(const std::string& id) override {
    auto rows = one_run(retry_call, id);
    if (!rows && rows.error().kind == "run_over") rows.error().kind = "run_not_failed";
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<std::int64_t>();
  }

  Result<bool> pause(const std::string& slug) override { return turn(pause_call, slug); }
  Result<bool> resume(const std::string& slug) override { return turn(resume_call, slug); }

  Result<std::vector<WorkerReport>> workers(std::int64_t count_max) override {
    const auto rows = query(worker_list_call, {std::to_string(count_max)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<WorkerReport> found;
    for (const auto& row : *rows)
      found.push_back({.id = row[0].as<std::int64_t>(),
                       .host = row[1].as<std::string>(),
                       .pid = row[2].as<int>(),
                       .slots = row[3].as<std::int64_t>(),
                       .in_flight = row[4].as<std::int64_t>(),
                       .runs = row[5].as<std::int64_t>(),
                       .alive = row[6].as<bool>(),
                       .started_at = time_of(row[7]),
                       .lease_until = time_of(row[8]),
                       .ended_at = optional_time(row[9]),
                       .end_reason = row[10].as<std::string>()});
    return found;
  }

  Result<KnownFlow> flow(const std::string& slug, std::optional<int> version) override {
    const auto rows = query(flow_call, {slug, parameter(version)});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty())
      return std::unexpected(with_nearest(
          {.code = ErrorCode::not_found,
           .kind = "not_found",
           .message =
               version ? fmt::format("no flow \"{}\" version {} in this database", slug, *version)
                       : fmt::format("no flow \"{}\" in this database", slug),
           .hint = "a flow is known once a worker has loaded it: weir serve"},
          slug));
    const auto row = (*rows)[0];
    return KnownFlow{.slug = row[0].as<std::string>(),
                     .version = row[1].as<int>(),
                     .fingerprint = row[2].as<std::string>(),
                     .input_schema = optional_json(row[3])};
  }

  Result<std::vector<VersionReport>> versions(const std::string& slug) override {
    const auto rows = query(versions_call, {slug});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::unexpected(flow(slug, std::nullopt).error());
    std::vector<VersionReport> found;
    for (const auto& row : *rows) found.push_back(read_version(row));
    return found;
  }

  Result<Adoption> adopt(const std::string& slug, int from, std::optional<int> to) override {
    const auto rows = query(adopt_call, {slug, std::to_string(from), parameter(to)});
    if (!rows) return std::unexpected(with_nearest(rows.error(), slug));
    const auto row = (*rows)[0];
    return Adoption{.version = row[0].as<int>(),
                    .moved = row[1].as<std::int64_t>(),
                    .held = row[2].as<std::int64_t>()};
  }

  Result<std::vector<ReportedPlugin>> plugins() override {
    const auto rows = query(plugins_call);
    if (!rows) return std::unexpected(rows.error());
    std::vector<ReportedPlugin> found;
    for (const auto& row : *rows) found.push_back(read_plugin(row));
    return found;
  }

  Result<std::vector<RunSummary>> runs(const RunFilter& filter) override {
    if (filter.flow)
      if (const auto known = flow(*filter.flow, std::nullopt); !known)
        return std::unexpected(known.error());
    const auto rows =
        query(runs_call, {filter.flow, filter.status, filter.tag, parameter(filter.since),
                          parameter(filter.until), parameter(filter.input_contains),
                          parameter(filter.output_contains), std::to_string(filter.count_max)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<RunSummary> found;
    for (const auto& row : *rows) found.push_back(read_summary(row));
    return found;
  }

  Result<RunSummary> summary(const std::string& id) override {
    const auto row = one_run(summary_call, id);
    if (!row) return std::unexpected(row.error());
    return read_summary((*row)[0]);
  }

  Result<RunReport> report(const std::string& id, bool with_values) override {
    const auto run = one_run(with_values ? report_call : summary_call, id);
    if (!run) return std::unexpected(run.error());
    RunReport report{.summary = read_summary((*run)[0]), .input = {}, .output = {}, .steps = {}};
    if (with_values) {
      report.input = Json::trusted((*run)[0][13].as<std::string>());
      report.output = optional_json((*run)[0][14]);
    }
    const auto steps = query(steps_call, {id, with_values ? "true" : "false"});
    if (!steps) return std::unexpected(steps.error());
    for (const auto& row : *steps) report.steps.push_back(read_step(row));
    return report;
  }

  Result<RecordedRun> recorded(const std::string& id) override {
    const auto run = one_run(recorded_call, id);
    if (!run) return std::unexpected(run.error());
    const auto facts = (*run)[0];
    RecordedRun found{.flow = facts[0].as<std::string>(),
                      .version = facts[1].as<int>(),
                      .module = facts[2].as<std::string>(),
                      .definition = Json::trusted(facts[3].as<std::string>()),
                      .input = Json::trusted(facts[4].as<std::string>()),
                      .rows = {}};
    const auto rows = query(recorded_rows_call, {id});
    if (!rows) return std::unexpected(rows.error());
    for (const auto& row : *rows) found.rows.push_back(read_journal_row(row));
    return found;
  }

  Result<std::vector<std::string>> over_among(const std::vector<std::string>& ids) override {
    const auto rows = query(over_call, {array_of(ids)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<std::string> over;
    for (const auto& row : *rows) over.push_back(row[0].as<std::string>());
    return over;
  }

  Result<std::int64_t> workers_alive() override {
    const auto rows = query(workers_call);
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<std::int64_t>();
  }

  Result<std::string> server_version() override {
    const auto rows = query(version_call);
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<std::string>();
  }

 private:
  Result<pqxx::result> query(const char* sql, const Params& params = {}) {
    if (const auto connected = connect(); !connected) return std::unexpected(connected.error());
    return session_->query(sql, params);
  }

  Result<bool> turn(const char* sql, const std::string& slug) {
    const auto rows = query(sql, {slug});
    if (!rows) return std::unexpected(with_nearest(rows.error(), slug));
    return (*rows)[0][0].as<bool>();
  }

  Result<pqxx::result> one_run(const char* sql, const std::string& id, const Params& more = {}) {
    Params params = {id};
    params.insert(params.end(), more.begin(), more.end());
    auto rows = query(sql, params);
    if (!rows && rows.error().code == ErrorCode::invalid_input)
      return std::unexpected(Error{.code = ErrorCode::invalid_input,
                                   .kind = "bad_run_id",
                                   .message = fmt::format("\"{}\" is not a run id", id),
                                   .hint = "run ids are UUIDs: weir runs list shows them"});
    if (rows && rows->empty())
      return std::unexpected(Error{.code = ErrorCode::not_found,
                                   .kind = "not_found",
                                   .message = fmt::format("no run {} in this database", id),
                                   .hint = "weir runs list shows the newest"});
    return rows;
  }

  Error with_nearest(Error error, const std::string& wanted) {
    if (error.code != ErrorCode::not_found) return error;
    const auto rows = query(flows_call);
    if (!rows) return error;
    std::vector<std::string> known;
    for (const auto& row : *rows) {
      known.push_back(row[0].as<std::string>());
      if (known.back() != wanted) continue;
      error.hint = fmt::format("the newest version is {}", row[1].as<int>());
      return error;
    }
    error.hint = did_you_mean(wanted, known, error.hint);
    return error;
  }

  std::string url_;
  std::unique_ptr<Session> session_;
};

}  // namespace

Result<std::unique_ptr<RunStore>> open_run_store(const std::string& url) {
  auto store = std::make_unique<PostgresRunStore>(url);
  if (const auto connected = store->connect(); !connected)
    return std::unexpected(connected.error());
  return store;
}

}  // namespace weir::postgres
