#include "store/postgres/exchange.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "store/postgres/array_arguments.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/columns.hpp"
#include "store/postgres/literal.hpp"

namespace weir::postgres {
namespace {

// Outputs go as text, which the function reads where it writes them: after it has checked the lease,
// so that reading large ones does not cost it, and each in memory that is used again for the next.
constexpr auto settled_arguments = array_arguments_of<SettledAttempt>(
    array_argument("j_run", "bigint", &SettledAttempt::run),
    array_argument("j_step", "smallint", &SettledAttempt::row, &JournalRow::task, &TaskId::step),
    array_argument("j_index", "int", &SettledAttempt::row, &JournalRow::task, &TaskId::index),
    array_argument("j_attempt", "smallint", &SettledAttempt::row, &JournalRow::attempt),
    array_argument("j_outcome", "smallint", &SettledAttempt::row, &JournalRow::outcome),
    array_argument("j_text", "text", &SettledAttempt::row, &JournalRow::output),
    sparse(array_argument("j_error_code", "text", &SettledAttempt::row, &JournalRow::error_code)),
    sparse(array_argument("j_error", "text", &SettledAttempt::row, &JournalRow::error)),
    sparse(array_argument("j_retry_after_ms", "bigint", &SettledAttempt::row,
                          &JournalRow::retry_after)),
    array_argument("j_started_at", "timestamptz", &SettledAttempt::row, &JournalRow::started_at),
    array_argument("j_ended_at", "timestamptz", &SettledAttempt::row, &JournalRow::ended_at),
    array_argument("j_plugin", "int", &SettledAttempt::plugin));

constexpr auto output_if_completed = [](const EndedRun& run) {
  return run.end.status == RunStatus::completed ? std::optional(std::cref(run.end.output))
                                                : std::nullopt;
};

constexpr auto ended_arguments = array_arguments_of<EndedRun>(
    array_argument("e_run", "bigint", &EndedRun::run),
    array_argument("e_status", "smallint", &EndedRun::end, &RunEnd::status),
    array_argument("e_text", "text", output_if_completed),
    sparse(array_argument("e_error", "text", &EndedRun::end, &RunEnd::error)),
    sparse(array_argument("e_failed_step", "smallint", &EndedRun::end, &RunEnd::failed_step)),
    sparse(array_argument("e_note", "text", &EndedRun::end, &RunEnd::note)));

constexpr auto released_arguments = array_arguments_of<ReleasedRun>(
    array_argument("r_run", "bigint", &ReleasedRun::run),
    array_argument("r_wake_at", "timestamptz", &ReleasedRun::wake_at));

constexpr auto acknowledged_arguments =
    array_arguments_of<Acknowledgement>(array_argument("h_run", "bigint", &Acknowledgement::run),
                                        array_argument("h_count", "int", &Acknowledgement::count));

constexpr auto event_arguments =
    array_arguments_of<PublishedEvent>(array_argument("x_run", "bigint", &PublishedEvent::run),
                                       array_argument("x_event", "text", &PublishedEvent::name));

constexpr auto in_flight_arguments = array_arguments_of<InFlightTask>(
    array_argument("f_run", "bigint", &InFlightTask::run),
    array_argument("f_step", "smallint", &InFlightTask::task, &TaskId::step),
    array_argument("f_index", "int", &InFlightTask::task, &TaskId::index),
    array_argument("f_attempt", "smallint", &InFlightTask::attempt),
    array_argument("f_plugin", "int", &InFlightTask::plugin));

// A row of the reply. The first one is about the database and the worker. Each of the others is a
// claimed run, or, with `count`, notifications of a run: those for the run itself, one signal, or
// the end of one child.
struct ReplyRow {
  Time now{};
  std::optional<Time> next_wake_at{};
  bool has_listeners = false;
  std::vector<VersionId> paused{};
  std::size_t claims = 0;  // of the first row: claims that were contended
  ClaimedRun run{};        // `id` is the child's, in the notification of its end
  std::optional<int> count{};
  std::optional<std::string> cancelled{};
  std::optional<std::size_t> step{};
  std::optional<int> attempt{};  // of a child's end
  RunStatus status = RunStatus::completed;
  Json value{};  // the signal's payload, or the child's output
  std::string error{};
  std::vector<RunKey> busy{}, refused{};  // of the first row
  std::vector<std::string> refusals{};
};

constexpr auto reply_columns = columns_of<ReplyRow>(
    column("database_time", &ReplyRow::now), column("next_wake_at", &ReplyRow::next_wake_at),
    column("listened", &ReplyRow::has_listeners), column("paused", &ReplyRow::paused),
    column("claims", &ReplyRow::claims), column("run_id", &ReplyRow::run, &ClaimedRun::run),
    column("run_uuid", &ReplyRow::run, &ClaimedRun::id),
    column("version_id", &ReplyRow::run, &ClaimedRun::version),
    column("priority", &ReplyRow::run, &ClaimedRun::priority),
    column("input", &ReplyRow::run, &ClaimedRun::input),
    column("available_at", &ReplyRow::run, &ClaimedRun::available_at),
    column("news", &ReplyRow::count), column("cancel_reason", &ReplyRow::cancelled),
    column("told_step", &ReplyRow::step), column("told_attempt", &ReplyRow::attempt),
    column("told_status", &ReplyRow::status), column("told_value", &ReplyRow::value),
    column("told_error", &ReplyRow::error), column("busy", &ReplyRow::busy),
    column("refused", &ReplyRow::refused), column("refusals", &ReplyRow::refusals),
    column("begun", &ReplyRow::run, &ClaimedRun::begun),
    column("has_parent", &ReplyRow::run, &ClaimedRun::has_parent));

constexpr const char* exchange_call = literal<[] {
  int number = 12;
  Text arguments =
      "p_worker => $1::bigint, p_sequence => $2::bigint, p_lease_ms => $3::bigint, "
      "p_versions => $4::int[], p_claims_max => $5::int, p_begins_max => $6::int, "
      "p_parents => $7::boolean, p_children => $8::boolean, p_shares => $9::boolean, "
      "p_crowded => $10::int[], p_apart => $11::boolean, p_changes => true, j_output => null, "
      "e_output => null";
  arguments += settled_arguments.list(number);
  arguments += ended_arguments.list(number);
  arguments += released_arguments.list(number);
  arguments += acknowledged_arguments.list(number);
  arguments += event_arguments.list(number);
  arguments += in_flight_arguments.list(number);
  return "select " + reply_columns.list() + " from weir.exchange(" + arguments + ")";
}>;

constexpr const char* renew_call = "select weir.renew($1::bigint, $2::bigint)";

// A request of more bytes is large: to send it may take a good part of the lease.
constexpr std::size_t large_bytes = 1024 * 1024;

bool is_large(const BinaryParams& params) {
  std::size_t bytes = 0;
  for (const std::string& param : params) bytes += param.size();
  return bytes > large_bytes;
}

BinaryParams arrays_of(const ExchangeRequest& request) {
  BinaryParams params;
  settled_arguments.append(params, request.settled);
  ended_arguments.append(params, request.ended);
  released_arguments.append(params, request.released);
  acknowledged_arguments.append(params, request.acknowledged);
  event_arguments.append(params, request.events);
  in_flight_arguments.append(params, request.in_flight);
  return params;
}

void add_notification(RunNotifications& notifications, ReplyRow row) {
  notifications.count += *row.count;
  if (row.cancelled) notifications.cancelled = std::move(row.cancelled);
  if (!row.step) return;
  if (!row.attempt) {
    notifications.signals.emplace(*row.step, std::move(row.value));
    return;
  }
  notifications.children.emplace(std::pair(*row.step, *row.attempt),
                                 ChildRunEnd{.id = std::move(row.run.id),
                                             .status = row.status,
                                             .output = std::move(row.value),
                                             .error = std::move(row.error)});
}

ExchangeReply read_reply(const pqxx::result& rows) {
  WEIR_ASSERT(!rows.empty());
  ReplyRow first = reply_columns.read_row(rows[0]);
  ExchangeReply reply{.now = first.now,
                      .next_wake_at = first.next_wake_at,
                      .claimed = {},
                      .contended = first.claims,
                      .paused = std::move(first.paused),
                      .has_listeners = first.has_listeners,
                      .busy = {first.busy.begin(), first.busy.end()}};
  for (std::size_t i = 0; i < first.refused.size(); ++i)
    reply.refused.emplace(first.refused[i], std::move(first.refusals.at(i)));
  for (pqxx::result::size_type i = 1; i < rows.size(); ++i) {
    ReplyRow row = reply_columns.read_row(rows[i]);
    if (row.count) {
      const RunKey run = row.run.run;
      add_notification(reply.notifications[run], std::move(row));
      continue;
    }
    row.run.has_history = row.claims > 1;
    reply.claimed.push_back(std::move(row.run));
  }
  for (ClaimedRun& run : reply.claimed)
    if (auto found = reply.notifications.extract(run.run); !found.empty())
      run.notifications = std::move(found.mapped());
  return reply;
}

// Whether the error may be the fault of one run of the request, or of a lock that one of them needs.
bool is_of_one_run(const Error& error) {
  return error.code == ErrorCode::invalid_input || error.code == ErrorCode::internal ||
         error.kind == "try_again" || error.kind == "server_busy";
}

}  // namespace

Result<ExchangeReply> exchange(ReconnectingSession& session, const ExchangeRequest& request) {
  const auto any_has = [&](bool Relations::* relation) {
    const bool has = std::ranges::any_of(
        request.ended, [&](const EndedRun& each) { return each.relations.*relation; });
    return has ? "true" : "false";
  };
  const BinaryParams arrays = arrays_of(request);
  const bool large = is_large(arrays);
  const bool apart = large || request.expects_busy;
  Params params = {std::to_string(request.worker),
                   std::to_string(request.sequence),
                   std::to_string(request.lease.count()),
                   array_of(request.versions),
                   std::to_string(request.claims_max),
                   std::to_string(request.begins_max),
                   any_has(&Relations::parent),
                   any_has(&Relations::children),
                   any_has(&Relations::shares),
                   array_of(request.crowded),
                   apart ? "true" : "false"};
  if (large)
    if (const auto renewed = session.query(renew_call, {params[0], params[2]}); !renewed)
      return std::unexpected(renewed.error());
  auto rows = session.query(exchange_call, params, arrays);
  if (!rows && !apart && is_of_one_run(rows.error())) {
    params.back() = "true";
    rows = session.query(exchange_call, params, arrays);
  }
  if (!rows) return std::unexpected(rows.error());
  return read_reply(*rows);
}

}  // namespace weir::postgres
