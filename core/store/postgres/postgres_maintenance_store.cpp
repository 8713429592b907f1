#include "store/postgres/postgres_maintenance_store.hpp"

#include <utility>

#include "base/nearest.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/columns.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"
#include "store/postgres/reconnecting_session.hpp"

namespace weir::postgres {
namespace {

constexpr auto schedule_columns = columns_of<ScheduleReport>(
    column("name", &ScheduleReport::spec, &ScheduleSpec::name),
    column("flow", &ScheduleReport::spec, &ScheduleSpec::flow),
    column("cron", &ScheduleReport::spec, &ScheduleSpec::cron),
    column("time_zone", &ScheduleReport::spec, &ScheduleSpec::time_zone),
    column("input", &ScheduleReport::spec, &ScheduleSpec::input),
    column("priority", &ScheduleReport::spec, &ScheduleSpec::priority),
    column("tags", &ScheduleReport::spec, &ScheduleSpec::tags),
    column("missed", &ScheduleReport::spec, &ScheduleSpec::missed),
    column("status = 'paused'", &ScheduleReport::spec, &ScheduleSpec::paused),
    column("status", &ScheduleReport::status), column("next_at", &ScheduleReport::next_at),
    column("last_at", &ScheduleReport::last_at), column("last_run", &ScheduleReport::last_run),
    column("error", &ScheduleReport::error));

constexpr auto tick_columns = columns_of<TickReport>(column("started", &TickReport::started),
                                                     column("database_time", &TickReport::now),
                                                     column("next_at", &TickReport::next_at));

constexpr auto prune_columns = columns_of<PruneReport>(
    column("runs", &PruneReport::runs), column("journal_rows", &PruneReport::journal_rows),
    column("partitions", &PruneReport::partitions), column("workers", &PruneReport::workers),
    column("after", &PruneReport::cursor, &PruneCursor::after),
    column("whole_until", &PruneReport::cursor, &PruneCursor::whole_until),
    column("finished", &PruneReport::finished));

constexpr const char* schedule_call = literal<[] {
  return "select " + selected<Time>("s") +
         " from weir.schedule($1, $2, $3, $4::jsonb, $5, $6::int, $7::text[], $8, $9::boolean) "
         "as s";
}>;

constexpr const char* unschedule_call = "select weir.unschedule($1)";
constexpr const char* pause_schedule_call = "select weir.pause_schedule($1)";
constexpr const char* resume_schedule_call = "select weir.resume_schedule($1)";
constexpr const char* names_call = "select name from weir.schedules order by name";

constexpr const char* schedules_call = literal<[] {
  return "select " + schedule_columns.list() + " from weir.schedules order by name";
}>;

constexpr const char* ticks_call = literal<[] {
  return "with recursive tick(at, number) as ("
         " select weir.cron_next($1, $2, clock_timestamp()), 1 union all"
         " select weir.cron_next($1, $2, at), number + 1 from tick where number < $3::int)"
         " select " +
         selected<Time>("at") + " from tick order by at";
}>;

constexpr const char* tick_call =
    literal<[] { return "select " + tick_columns.list() + " from weir.tick()"; }>;

constexpr const char* prune_call = literal<[] {
  return "select " + prune_columns.list() +
         " from weir.prune_batch($1::bigint * interval '1 ms', $2::text[],"
         " array(select a * interval '1 ms' from unnest($3::bigint[]) with ordinality as "
         "u(a, place) order by place), $4::int, $5::bigint, $6::bigint, $7::boolean)";
}>;

constexpr const char* maintain_call = "select weir.maintain($1::bigint * interval '1 ms')";

class PostgresMaintenanceStore final : public MaintenanceStore {
 public:
  PostgresMaintenanceStore(std::string url, bool listens, WakeupEvent wakeup)
      : session_(std::move(url), std::move(wakeup),
                 listens ? channels() : ReconnectingSession::Channels(), lock_limit) {}

  Result<Time> schedule(const ScheduleSpec& spec) override {
    return value_of<Time>(session_.query(
        schedule_call, {spec.name, spec.flow, spec.cron, std::string(spec.input.text()),
                        spec.time_zone, std::to_string(spec.priority), array_of(spec.tags),
                        spec.missed, spec.paused ? "true" : "false"}));
  }

  Result<bool> unschedule(const std::string& name) override {
    return change(unschedule_call, name);
  }
  Result<bool> pause_schedule(const std::string& name) override {
    return change(pause_schedule_call, name);
  }
  Result<bool> resume_schedule(const std::string& name) override {
    return change(resume_schedule_call, name);
  }

  Result<std::vector<ScheduleReport>> schedules() override {
    const auto rows = session_.query(schedules_call);
    if (!rows) return std::unexpected(rows.error());
    return schedule_columns.read_all(*rows);
  }

  Result<std::vector<Time>> ticks(const std::string& cron, const std::string& time_zone,
                                  std::size_t count) override {
    const auto rows = session_.query(ticks_call, {cron, time_zone, std::to_string(count)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<Time> found;
    for (const auto& row : *rows) read(row[0], found.emplace_back());
    return found;
  }

  Result<TickReport> tick() override {
    const auto rows = session_.query(tick_call);
    if (!rows) return std::unexpected(rows.error());
    return tick_columns.read_row((*rows)[0]);
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
    return prune_columns.read_row((*rows)[0]);
  }

  Result<bool> maintain(std::optional<std::chrono::milliseconds> every) override {
    return value_of<bool>(session_.query(maintain_call, {parameter(every)}));
  }

  void wait(std::chrono::milliseconds limit) override {
    session_.wait(limit, [this] { return std::exchange(changed_, false); });
  }

  void wake() noexcept override { session_.wake(); }

 private:
  ReconnectingSession::Channels channels() {
    return {{"weir_schedules", [this](std::string_view) { changed_ = true; }}};
  }

  Result<bool> change(const char* sql, const std::string& name) {
    auto changed = value_of<bool>(session_.query(sql, {name}));
    if (!changed) return std::unexpected(with_nearest(changed.error(), name));
    return changed;
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
  ReconnectingSession session_;
};

}  // namespace

Result<std::unique_ptr<MaintenanceStore>> open_maintenance_store(const std::string& url,
                                                                 bool listens) {
  auto wakeup = WakeupEvent::make();
  if (!wakeup) return std::unexpected(std::move(wakeup.error()));
  return std::make_unique<PostgresMaintenanceStore>(url, listens, *std::move(wakeup));
}

}  // namespace weir::postgres
