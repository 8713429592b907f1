#include "store/postgres/postgres_maintenance_store.hpp"

#include <utility>

#include "base/nearest.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/fields.hpp"
#include "store/postgres/lasting_session.hpp"
#include "store/postgres/parameter.hpp"

namespace weir::postgres {
namespace {

constexpr const char* schedule_call =
    "select " WEIR_MICROSECONDS(
        "s") " from weir.schedule($1, $2, $3, $4::jsonb, $5, $6::int, $7::text[], $8, $9::boolean) "
             "as s";

constexpr const char* unschedule_call = "select weir.unschedule($1)";
constexpr const char* pause_schedule_call = "select weir.pause_schedule($1)";
constexpr const char* resume_schedule_call = "select weir.resume_schedule($1)";
constexpr const char* names_call = "select name from weir.schedules order by name";

constexpr const char* schedules_call =
    "select name, flow, cron, time_zone, input, priority, array_to_json(tags), missed, status, "
    WEIR_MICROSECONDS("next_at") ", " WEIR_MICROSECONDS("last_at")
    ", coalesce(last_run::text, ''), coalesce(error, '') from weir.schedules order by name";

constexpr const char* ticks_call =
    "with recursive tick(at, number) as ("
    " select weir.cron_next($1, $2, clock_timestamp()), 1 union all"
    " select weir.cron_next($1, $2, at), number + 1 from tick where number < $3::int)"
    " select " WEIR_MICROSECONDS("at") " from tick order by at";

constexpr const char* tick_call = "select started, " WEIR_MICROSECONDS(
    "database_time") ", " WEIR_MICROSECONDS("next_at") " from weir.tick()";

constexpr const char* prune_call =
    "select runs, journal_rows, partitions, workers, after, whole_until, finished "
    "from weir.prune_batch($1::bigint * interval '1 ms', $2::text[],"
    " array(select a * interval '1 ms' from unnest($3::bigint[]) with ordinality as u(a, place) "
    "order by place), $4::int, $5::bigint, $6::bigint, $7::boolean)";

constexpr const char* keep_house_call = "select weir.maintain($1::bigint * interval '1 ms')";

ScheduleReport read_schedule(const pqxx::row& row) {
  ScheduleReport report{.spec = {.name = row[0].as<std::string>(),
                                 .flow = row[1].as<std::string>(),
                                 .cron = row[2].as<std::string>(),
                                 .time_zone = row[3].as<std::string>(),
                                 .input = Json::trusted(row[4].as<std::string>()),
                                 .priority = row[5].as<int>(),
                                 .tags = texts_of(row[6]),
                                 .missed = row[7].as<std::string>()},
                        .status = row[8].as<std::string>(),
                        .next_at = optional_time(row[9]),
                        .last_at = optional_time(row[10]),
                        .last_run = row[11].as<std::string>(),
                        .error = row[12].as<std::string>()};
  report.spec.paused = report.status == "paused";
  return report;
}

class PostgresMaintenanceStore final : public MaintenanceStore {
 public:
  PostgresMaintenanceStore(std::string url, bool listens, Doorbell doorbell)
      : session_(std::move(url), std::move(doorbell),
                 listens ? channels() : LastingSession::Channels()) {}

  Result<Time> schedule(const ScheduleSpec& spec) override {
    const auto rows = session_.query(
        schedule_call, {spec.name, spec.flow, spec.cron, std::string(spec.input.text()),
                        spec.time_zone, std::to_string(spec.priority), array_of(spec.tags),
                        spec.missed, spec.paused ? "true" : "false"});
    if (!rows) return std::unexpected(rows.error());
    return time_of((*rows)[0][0]);
  }

  Result<bool> unschedule(const std::string& name) override { return turn(unschedule_call, name); }
  Result<bool> pause_schedule(const std::string& name) override {
    return turn(pause_schedule_call, name);
  }
  Result<bool> resume_schedule(const std::string& name) override {
    return turn(resume_schedule_call, name);
  }

  Result<std::vector<ScheduleReport>> schedules() override {
    const auto rows = session_.query(schedules_call);
    if (!rows) return std::unexpected(rows.error());
    std::vector<ScheduleReport> found;
    for (const auto& row : *rows) found.push_back(read_schedule(row));
    return found;
  }

  Result<std::vector<Time>> ticks(const std::string& cron, const std::string& time_zone,
                                  std::size_t count) override {
    const auto rows = session_.query(ticks_call, {cron, time_zone, std::to_string(count)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<Time> found;
    for (const auto& row : *rows) found.push_back(time_of(row[0]));
    return found;
  }

  Result<TickReport> tick() override {
    const auto rows = session_.query(tick_call);
    if (!rows) return std::unexpected(rows.error());
    const auto row = (*rows)[0];
    return TickReport{.started = row[0].as<std::int64_t>(),
                      .now = time_of(row[1]),
                      .next_at = optional_time(row[2])};
  }

  Result<PruneReport> prune(const Retention& retention, PruneCursor cursor, std::int64_t batch,
                            bool dry) override {
    ArrayLiteral flows, ages;
    for (const auto& [slug, age] : retention.flows) {
      flows.add_text(slug);
      ages.add(age.transform([](auto span) { return span.count(); }));
    }
    const auto rows =
        session_.query(prune_call, {parameter(retention.age), flows.text(), ages.text(),
                                    std::to_string(batch), std::to_string(cursor.after),
                                    std::to_string(cursor.whole_until), dry ? "true" : "false"});
    if (!rows) return std::unexpected(rows.error());
    const auto row = (*rows)[0];
    return PruneReport{
        .runs = row[0].as<std::int64_t>(),
        .journal_rows = row[1].as<std::int64_t>(),
        .partitions = row[2].as<std::int64_t>(),
        .workers = row[3].as<std::int64_t>(),
        .cursor = {.after = row[4].as<std::int64_t>(), .whole_until = row[5].as<std::int64_t>()},
        .finished = row[6].as<bool>()};
  }

  Result<bool> keep_house(std::optional<std::chrono::milliseconds> every) override {
    const auto rows = session_.query(keep_house_call, {parameter(every)});
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<bool>();
  }

  void wait(std::chrono::milliseconds limit) override {
    session_.wait(limit, [this] { return std::exchange(changed_, false); });
  }

  void wake() noexcept override { session_.wake(); }

 private:
  LastingSession::Channels channels() {
    return {{"weir_schedules", [this](std::string_view) { changed_ = true; }}};
  }

  Result<bool> turn(const char* sql, const std::string& name) {
    const auto rows = session_.query(sql, {name});
    if (!rows) return std::unexpected(with_nearest(rows.error(), name));
    return (*rows)[0][0].as<bool>();
  }

  Error with_nearest(Error error, const std::string& wanted) {
    if (error.code != ErrorCode::not_found) return error;
    const auto rows = session_.query(names_call);
    if (!rows) return error;
    std::vector<std::string> known;
    for (const auto& row : *rows) known.push_back(row[0].as<std::string>());
    error.hint = did_you_mean(wanted, known, error.hint);
    return error;
  }

  bool changed_ = false;  ///< a notification arrived that schedules changed
  LastingSession session_;
};

}  // namespace

Result<std::unique_ptr<MaintenanceStore>> open_maintenance_store(const std::string& url,
                                                                 bool listens) {
  auto doorbell = Doorbell::make();
  if (!doorbell) return std::unexpected(std::move(doorbell.error()));
  return std::make_unique<PostgresMaintenanceStore>(url, listens, *std::move(doorbell));
}

}  // namespace weir::postgres
