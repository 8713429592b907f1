#include "store/postgres/postgres_maintenance_store.hpp"

#include <sstream>
#include <utility>

#include "base/nearest.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/doorbell.hpp"
#include "store/postgres/journal_rows.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

constexpr const char* listen = "listen weir_schedules";

#define WEIR_MICROSECONDS(time) "(extract(epoch from " time ") * 1000000)::bigint"

constexpr const char* schedule_call =
    "select " WEIR_MICROSECONDS(
        "s") " from weir.schedule($1, $2, $3, $4::jsonb, $5, $6::int, $7::text[], $8, $9::boolean) "
             "as s";

constexpr const char* unschedule_call = "select weir.unschedule($1)";
constexpr const char* pause_call = "select weir.pause_schedule($1)";
constexpr const char* resume_call = "select weir.resume_schedule($1)";
constexpr const char* names_call = "select name from weir.schedules order by name";

constexpr const char* schedules_call =
    "select name, flow, cron, time_zone, input, priority, array_to_string(tags, chr(31)), missed, status, "
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

constexpr const char* keep_house_call = "select weir.keep_house($1::bigint * interval '1 ms')";

std::optional<Time> optional_time(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(time_of(field));
}

std::string array_of(const std::vector<std::string>& texts) {
  ArrayLiteral array;
  for (const std::string& text : texts) array.add_text(text);
  return array.text();
}

// No tag has the separator in it.
std::vector<std::string> tags_of(const pqxx::field& field) {
  std::istringstream joined(field.as<std::string>());
  std::vector<std::string> tags;
  for (std::string tag; std::getline(joined, tag, '\x1f');) tags.push_back(tag);
  return tags;
}

ScheduleReport read_schedule(const pqxx::row& row) {
  ScheduleReport report{.spec = {.name = row[0].as<std::string>(),
                                 .flow = row[1].as<std::string>(),
                                 .cron = row[2].as<std::string>(),
                                 .time_zone = row[3].as<std::string>(),
                                 .input = Json::trusted(row[4].as<std::string>()),
                                 .priority = row[5].as<int>(),
                                 .tags = tags_of(row[6]),
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
      : url_(std::move(url)), listens_(listens), doorbell_(std::move(doorbell)) {}

  Result<Time> schedule(const ScheduleSpec& spec) override {
    const auto rows =
        query(schedule_call, {spec.name, spec.flow, spec.cron, std::string(spec.input.text()),
                              spec.time_zone, std::to_string(spec.priority), array_of(spec.tags),
                              spec.missed, spec.paused ? "true" : "false"});
    if (!rows) return std::unexpected(rows.error());
    return time_of((*rows)[0][0]);
  }

  Result<bool> unschedule(const std::string& name) override { return turn(unschedule_call, name); }
  Result<bool> pause_schedule(const std::string& name) override { return turn(pause_call, name); }
  Result<bool> resume_schedule(const std::string& name) override { return turn(resume_call, name); }

  Result<std::vector<ScheduleReport>> schedules() override {
    const auto rows = query(schedules_call);
    if (!rows) return std::unexpected(rows.error());
    std::vector<ScheduleReport> found;
    for (const auto& row : *rows) found.push_back(read_schedule(row));
    return found;
  }

  Result<std::vector<Time>> ticks(const std::string& cron, const std::string& time_zone,
                                  std::size_t count) override {
    const auto rows = query(ticks_call, {cron, time_zone, std::to_string(count)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<Time> found;
    for (const auto& row : *rows) found.push_back(time_of(row[0]));
    return found;
  }

  Result<TickReport> tick() override {
    const auto rows = query(tick_call);
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
      if (age)
        ages.add(age->count());
      else
        ages.add_null();
    }
    const auto rows =
        query(prune_call,
              {retention.age ? std::optional(std::to_string(retention.age->count())) : std::nullopt,
               flows.text(), ages.text(), std::to_string(batch), std::to_string(cursor.after),
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
    const auto rows = query(keep_house_call,
                            {every ? std::optional(std::to_string(every->count())) : std::nullopt});
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<bool>();
  }

  void wait(std::chrono::milliseconds limit) override {
    if (!session_ || !session_->is_open()) {
      doorbell_.wait(-1, limit);
      return;
    }
    // What came with earlier answers is in libpq's hands already: the socket tells nothing of it.
    if (notified()) limit = std::chrono::milliseconds(0);
    if (doorbell_.wait(session_ ? session_->connection().sock() : -1, limit)) notified();
  }

  void wake() noexcept override { doorbell_.ring(); }

 private:
  Result<pqxx::result> query(const char* sql, const Params& params = {}) {
    if (!session_ || !session_->is_open()) {
      session_.reset();
      auto opened = Session::open(url_);
      if (!opened) return std::unexpected(opened.error());
      if (listens_)
        if (const auto listening = (*opened)->query(listen); !listening)
          return std::unexpected(listening.error());
      session_ = *std::move(opened);
    }
    auto rows = session_->query(sql, params);
    if (!rows && !session_->is_open()) session_.reset();
    return rows;
  }

  Result<bool> turn(const char* sql, const std::string& name) {
    const auto rows = query(sql, {name});
    if (!rows) return std::unexpected(with_nearest(rows.error(), name));
    return (*rows)[0][0].as<bool>();
  }

  Error with_nearest(Error error, const std::string& wanted) {
    if (error.code != ErrorCode::not_found) return error;
    const auto rows = query(names_call);
    if (!rows) return error;
    std::vector<std::string> known;
    for (const auto& row : *rows) known.push_back(row[0].as<std::string>());
    error.hint = did_you_mean(wanted, known, error.hint);
    return error;
  }

  bool notified() {
    try {
      return session_->connection().get_notifs() > 0;
    } catch (const std::exception&) {
      session_.reset();  // broken: the next call connects again and tells
      return true;
    }
  }

  std::string url_;
  bool listens_;
  Doorbell doorbell_;
  std::unique_ptr<Session> session_;
};

}  // namespace

Result<std::unique_ptr<MaintenanceStore>> open_maintenance_store(const std::string& url,
                                                                 bool listens) {
  auto doorbell = Doorbell::make();
  if (!doorbell) return std::unexpected(std::move(doorbell.error()));
  return std::make_unique<PostgresMaintenanceStore>(url, listens, *std::move(doorbell));
}

}  // namespace weir::postgres
