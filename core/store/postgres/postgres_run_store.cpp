#include "store/postgres/postgres_run_store.hpp"

#include <fmt/core.h>

#include "base/nearest.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/journal_columns.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"
#include "store/postgres/reconnecting_session.hpp"
#include "store/postgres/report_columns.hpp"

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

constexpr const char* workers_call = literal<[] {
  return "select " + worker_columns.list() +
         " from weir.workers order by alive desc, ended_at desc nulls first, worker_id "
         "limit $1::bigint";
}>;

constexpr const char* flows_call =
    "select flow, max(version) from weir.definitions group by flow order by flow";

constexpr const char* flow_call = literal<[] {
  return "select " + known_flow_columns.list() +
         " from weir.definitions where flow = $1 and version = coalesce($2::int, "
         "(select f.version from weir.flows f where f.flow = $1))";
}>;

constexpr const char* runs_call = literal<[] {
  return "select " + summary_columns.list() +
         " from weir.newest_runs($1, $2, $3, $4::timestamptz, $5::timestamptz, $6::jsonb, "
         "$7::jsonb, $8::bigint) as n(run) join weir.runs on number = n.run order by number desc";
}>;

constexpr const char* summary_call = literal<[] {
  return "select " + summary_columns.list() + " from weir.runs where run_id = $1::uuid";
}>;

constexpr const char* report_call = literal<[] {
  return "select " + summary_columns.list() + ", " + run_report_columns.list() +
         " from weir.runs where run_id = $1::uuid";
}>;

constexpr const char* steps_call = literal<[] {
  return "select " + step_columns.list() +
         " from weir.steps where run_id = $1::uuid order by position";
}>;

constexpr const char* versions_call = literal<[] {
  return "select " + version_columns.list() +
         " from weir.versions where flow = $1 order by version desc";
}>;

constexpr const char* all_versions_call = literal<[] {
  return "select " + version_columns.list() + " from weir.versions order by flow, version desc";
}>;

constexpr const char* adopt_call = literal<[] {
  return "select " + adoption_columns.list() + " from weir.adopt($1, $2::int, $3::int)";
}>;

constexpr const char* plugins_call = literal<[] {
  return "select " + plugin_columns.list() + " from weir.plugins order by path, host, pid, sha256";
}>;

constexpr const char* recorded_call = literal<[] {
  return "select " + recorded_columns.list() +
         " from weir.runs r join weir.definitions d on d.flow = r.flow and d.version = r.version "
         "where r.run_id = $1::uuid";
}>;

constexpr const char* recorded_rows_call =
    literal<[] { return "select " + journal_columns.list() + " from weir.journal_of($1::uuid)"; }>;

constexpr const char* over_call =  // ids come back as they were written
    "select i.id from unnest($1::text[]) as i(id) left join weir.runs r on r.run_id = i.id::uuid "
    "where r.run_id is null or r.ended_at is not null";

constexpr const char* workers_alive_call = "select count(*) from weir.workers where alive";

constexpr const char* server_version_call = "show server_version";

std::optional<std::string> array_unless_empty(const std::vector<std::string>& texts) {
  return texts.empty() ? std::nullopt : std::optional(array_of(texts));
}

class PostgresRunStore final : public RunStore {
 public:
  PostgresRunStore(std::string url, WakeupEvent wakeup)
      : session_(std::move(url), std::move(wakeup), {}) {}

  Result<void> connect() { return session_.connect(); }

  Result<std::vector<StartedRun>> start(const std::string& flow, const std::vector<Json>& inputs,
                                        const StartOptions& options) override {
    ArrayLiteral texts;
    for (const Json& input : inputs) texts.add_text(input.text());
    if (const auto connected = connect(); !connected) return std::unexpected(connected.error());
    const auto rows =
        query(start_call, {flow, texts.text(), array_unless_empty(options.idempotency_keys),
                           parameter(options.delay), std::to_string(options.priority),
                           parameter(options.version), array_of(options.tags),
                           array_unless_empty(options.run_ids), parameter(options.at)});
    if (!rows && !session_.is_open())  // the connection broke during the call
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
    return value_of<bool>(one_run(cancel_call, id, {reason}));
  }

  Result<bool> signal(const std::string& id, const std::string& name,
                      const Json& payload) override {
    return value_of<bool>(one_run(signal_call, id, {name, std::string(payload.text())}));
  }

  Result<std::int64_t> retry(const std::string& id) override {
    auto retried = value_of<std::int64_t>(one_run(retry_call, id));
    if (!retried && retried.error().kind == "run_over") retried.error().kind = "run_not_failed";
    return retried;
  }

  Result<bool> pause(const std::string& slug) override { return set_paused(pause_call, slug); }
  Result<bool> resume(const std::string& slug) override { return set_paused(resume_call, slug); }

  Result<std::vector<WorkerReport>> workers(std::int64_t count_max) override {
    const auto rows = query(workers_call, {std::to_string(count_max)});
    if (!rows) return std::unexpected(rows.error());
    return worker_columns.read_all(*rows);
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
    return known_flow_columns.read_row((*rows)[0]);
  }

  Result<std::vector<VersionReport>> versions(const std::string& slug) override {
    const auto rows = query(versions_call, {slug});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::unexpected(flow(slug, std::nullopt).error());
    return version_columns.read_all(*rows);
  }

  Result<std::vector<VersionReport>> all_versions() override {
    const auto rows = query(all_versions_call);
    if (!rows) return std::unexpected(rows.error());
    return version_columns.read_all(*rows);
  }

  Result<Adoption> adopt(const std::string& slug, int from, std::optional<int> to) override {
    const auto rows = query(adopt_call, {slug, std::to_string(from), parameter(to)});
    if (!rows) return std::unexpected(with_nearest(rows.error(), slug));
    return adoption_columns.read_row((*rows)[0]);
  }

  Result<std::vector<ReportedPlugin>> plugins() override {
    const auto rows = query(plugins_call);
    if (!rows) return std::unexpected(rows.error());
    return plugin_columns.read_all(*rows);
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
    return summary_columns.read_all(*rows);
  }

  Result<RunSummary> summary(const std::string& id) override {
    const auto row = one_run(summary_call, id);
    if (!row) return std::unexpected(row.error());
    return summary_columns.read_row((*row)[0]);
  }

  Result<RunReport> report(const std::string& id, bool with_values) override {
    const auto run = one_run(report_call, id, {with_values ? "true" : "false"});
    if (!run) return std::unexpected(run.error());
    RunReport report;
    summary_columns.fill(report.summary, (*run)[0]);
    run_report_columns.fill(report, (*run)[0], summary_columns.count);
    const auto steps = query(steps_call, {id, with_values ? "true" : "false"});
    if (!steps) return std::unexpected(steps.error());
    report.steps = step_columns.read_all(*steps);
    return report;
  }

  Result<RecordedRun> recorded(const std::string& id) override {
    const auto run = one_run(recorded_call, id);
    if (!run) return std::unexpected(run.error());
    RecordedRun found = recorded_columns.read_row((*run)[0]);
    const auto rows = query(recorded_rows_call, {id});
    if (!rows) return std::unexpected(rows.error());
    found.rows = journal_columns.read_all(*rows);
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
    return value_of<std::int64_t>(query(workers_alive_call));
  }

  Result<std::string> server_version() override {
    return value_of<std::string>(query(server_version_call));
  }

 private:
  Result<pqxx::result> query(const char* sql, const Params& params = {}) {
    return session_.query(sql, params);
  }

  Result<bool> set_paused(const char* sql, const std::string& slug) {
    auto changed = value_of<bool>(query(sql, {slug}));
    if (!changed) return std::unexpected(with_nearest(changed.error(), slug));
    return changed;
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

  ReconnectingSession session_;
};

}  // namespace

Result<std::unique_ptr<RunStore>> open_run_store(const std::string& url) {
  auto wakeup = WakeupEvent::make();
  if (!wakeup) return std::unexpected(std::move(wakeup.error()));
  auto store = std::make_unique<PostgresRunStore>(url, *std::move(wakeup));
  if (const auto connected = store->connect(); !connected)
    return std::unexpected(connected.error());
  return store;
}

}  // namespace weir::postgres
