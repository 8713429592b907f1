#include "store/postgres/exchange.hpp"

#include <array>
#include <utility>

#include "base/assert.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/fields.hpp"

namespace weir::postgres {
namespace {

constexpr const char* exchange_call =
    "select " WEIR_MICROSECONDS("database_time") ", " WEIR_MICROSECONDS("next_wake_at")
    ", run_id, run_uuid, version_id, priority, input, " WEIR_MICROSECONDS("available_at")
    ", claims, listened, array_to_string(paused, ' '), news, cancel_reason, told_step, "
    "told_attempt, told_status, told_value, told_error "
    "from weir.exchange($1::bigint, $2::bigint, $3::bigint,"
    " $4::bigint[], $5::smallint[], $6::int[], $7::smallint[], $8::smallint[], $9::jsonb[], "
    "$10::text[], $11::text[],"
    " $12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::int[],"
    " $16::bigint[], $17::smallint[], $18::jsonb[], $19::text[], $20::smallint[], $21::text[],"
    " $22::bigint[], $23::timestamptz[],"
    " $24::bigint[], $25::int[],"
    " $26::bigint[], $27::text[],"
    " $28::bigint[], $29::smallint[], $30::int[], $31::smallint[], $32::int[], $33::int[], "
    "$34::int)";

void add_unless_empty(ArrayLiteral& array, const std::string& text) {
  if (text.empty())
    array.add_null();
  else
    array.add_text(text);
}

template <std::size_t count>
void append(Params& params, const std::array<ArrayLiteral, count>& columns) {
  for (const ArrayLiteral& column : columns) params.emplace_back(column.text());
}

void append_settled(Params& params, const std::vector<SettledAttempt>& settled) {
  std::array<ArrayLiteral, 12> columns;
  for (const auto& [run, row, plugin] : settled) {
    columns[0].add(run);
    columns[1].add(row.task.step);
    columns[2].add(row.task.index);
    columns[3].add(row.attempt);
    columns[4].add(static_cast<std::int16_t>(row.outcome));
    if (row.output)
      columns[5].add_text(row.output->text());
    else
      columns[5].add_null();
    add_unless_empty(columns[6], row.error_code);
    add_unless_empty(columns[7], row.error);
    columns[8].add(row.retry_after.transform([](auto span) { return span.count(); }));
    columns[9].add(row.started_at);
    columns[10].add(row.ended_at);
    columns[11].add(plugin);
  }
  append(params, columns);
}

void append_ended(Params& params, const std::vector<EndedRun>& ended) {
  std::array<ArrayLiteral, 6> columns;
  for (const auto& [run, end] : ended) {
    columns[0].add(run);
    columns[1].add(static_cast<std::int16_t>(end.status));
    if (end.status == RunStatus::completed)
      columns[2].add_text(end.output.text());
    else
      columns[2].add_null();
    add_unless_empty(columns[3], end.error);
    columns[4].add(end.failed_step);
    add_unless_empty(columns[5], end.note);
  }
  append(params, columns);
}

void append_released(Params& params, const std::vector<ReleasedRun>& released) {
  std::array<ArrayLiteral, 2> columns;
  for (const auto& [run, wake_at] : released) {
    columns[0].add(run);
    columns[1].add(wake_at);
  }
  append(params, columns);
}

void append_heard(Params& params, const std::vector<HeardNews>& heard) {
  std::array<ArrayLiteral, 2> columns;
  for (const auto& [run, count] : heard) {
    columns[0].add(run);
    columns[1].add(count);
  }
  append(params, columns);
}

void append_events(Params& params, const std::vector<StatedEvent>& events) {
  std::array<ArrayLiteral, 2> columns;
  for (const auto& [run, name] : events) {
    columns[0].add(run);
    columns[1].add_text(name);
  }
  append(params, columns);
}

void append_in_flight(Params& params, const std::vector<InFlightTask>& in_flight) {
  std::array<ArrayLiteral, 5> columns;
  for (const auto& [run, task, attempt, plugin] : in_flight) {
    columns[0].add(run);
    columns[1].add(task.step);
    columns[2].add(task.index);
    columns[3].add(attempt);
    columns[4].add(plugin);
  }
  append(params, columns);
}

Params parameters(const ExchangeRequest& request) {
  Params params = {std::to_string(request.worker), std::to_string(request.sequence),
                   std::to_string(request.lease.count())};
  append_settled(params, request.settled);
  append_ended(params, request.ended);
  append_released(params, request.released);
  append_heard(params, request.heard);
  append_events(params, request.events);
  append_in_flight(params, request.in_flight);
  params.emplace_back(array_of(request.versions));
  params.emplace_back(std::to_string(request.claims_max));
  return params;
}

// Reads a row with notifications of a run: those for the run itself, one signal, or the end of one
// child.
void read_news(RunNews& news, const pqxx::row& row) {
  news.count += row[11].as<int>();
  if (!row[12].is_null()) news.cancelled = row[12].as<std::string>();
  if (row[13].is_null()) return;
  const auto step = row[13].as<std::size_t>();
  if (row[14].is_null()) {
    news.signals.emplace(step, Json::trusted(row[16].as<std::string>()));
    return;
  }
  ChildRunEnd end{.id = row[3].as<std::string>(),
                  .status = static_cast<RunStatus>(row[15].as<std::int16_t>())};
  if (!row[16].is_null()) end.output = Json::trusted(row[16].as<std::string>());
  if (!row[17].is_null()) end.error = row[17].as<std::string>();
  news.children.emplace(std::pair(step, row[14].as<int>()), std::move(end));
}

ExchangeReply read_reply(const pqxx::result& rows) {
  WEIR_ASSERT(!rows.empty());
  ExchangeReply reply;
  reply.now = time_of(rows[0][0]);
  reply.next_wake_at = optional_time(rows[0][1]);
  reply.missed = rows[0][8].as<std::size_t>();
  reply.listened = rows[0][9].as<bool>();
  if (!rows[0][10].is_null()) reply.paused = numbers_of<VersionId>(rows[0][10]);
  for (pqxx::result::size_type i = 1; i < rows.size(); ++i) {
    const auto row = rows[i];
    if (!row[11].is_null()) {
      read_news(reply.news[row[2].as<RunKey>()], row);
      continue;
    }
    reply.claimed.push_back({.run = row[2].as<RunKey>(),
                             .id = row[3].as<std::string>(),
                             .version = row[4].as<VersionId>(),
                             .priority = row[5].as<int>(),
                             .input = Json::trusted(row[6].as<std::string>()),
                             .available_at = time_of(row[7]),
                             .has_history = row[8].as<int>() > 1,
                             .news = {}});
  }
  for (ClaimedRun& run : reply.claimed)
    if (auto told = reply.news.extract(run.run); !told.empty()) run.news = std::move(told.mapped());
  return reply;
}

}  // namespace

Result<ExchangeReply> exchange(LastingSession& session, const ExchangeRequest& request) {
  const auto rows = session.query(exchange_call, parameters(request));
  if (!rows) return std::unexpected(rows.error());
  return read_reply(*rows);
}

}  // namespace weir::postgres
