#include "store/postgres/postgres_share_store.hpp"

#include <utility>

#include "base/assert.hpp"
#include "base/iso8601.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/columns.hpp"
#include "store/postgres/journal_columns.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"

namespace weir::postgres {
namespace {

constexpr auto helpers_columns = columns_of<Helpers>(column("slots", &Helpers::slots),
                                                     column("async_calls", &Helpers::async_calls),
                                                     column("available", &Helpers::available));

constexpr auto held_columns = columns_of<HeldRange>(
    column("share", &HeldRange::share), column("run", &HeldRange::run),
    column("step", &HeldRange::step), column("attempt", &HeldRange::attempt),
    column("first_index", &HeldRange::first), column("last_index", &HeldRange::last));

constexpr auto share_result_columns = columns_of<ShareResult>(
    column("news", &ShareResult::notification), column("run_id", &ShareResult::run));

// A share, and its inputs as one array.
struct TakenRow {
  TakenShare share{};
  Json inputs{};
};

constexpr auto taken_columns = columns_of<TakenRow>(
    column("share", &TakenRow::share, &TakenShare::share),
    column("run", &TakenRow::share, &TakenShare::run),
    column("run_id", &TakenRow::share, &TakenShare::run_id),
    column("version", &TakenRow::share, &TakenShare::version),
    column("position", &TakenRow::share, &TakenShare::step),
    column("attempt", &TakenRow::share, &TakenShare::attempt),
    column("indexes", &TakenRow::share, &TakenShare::indexes), column("inputs", &TakenRow::inputs),
    column("run_input", &TakenRow::share, &TakenShare::run_input));

constexpr const char* helpers_for_call = literal<[] {
  return "select " + helpers_columns.list() + " from weir.helpers_for($1::bigint, $2::bigint)";
}>;

constexpr const char* offer_shares_call =  // ranges of one step and attempt
    "select weir.offer_shares($1::bigint, $2::bigint, $3::smallint, $4::smallint, $5::int[], "
    "$6::jsonb[])";

constexpr const char* take_back_shares_call = literal<[] {
  return "select " + held_columns.list() + " from weir.take_back_shares($1::bigint, $2::bigint[])";
}>;

constexpr const char* fetch_share_results_call = literal<[] {
  return "select " + share_result_columns.list() + ", " + journal_columns.list() +
         " from weir.fetch_share_results($1::bigint, $2::bigint[], $3::bigint[])";
}>;

constexpr const char* drop_shares_call =
    "select weir.drop_shares($1::bigint, $2::bigint, $3::smallint)";

constexpr const char* take_shares_call = literal<[] {
  return "select " + taken_columns.list() +
         " from weir.take_shares($1::bigint, $2::int[], $3::int, known_runs => $4::bigint[])";
}>;

constexpr const char* held_shares_call = literal<[] {
  return "select " + selected<std::vector<ShareId>>("weir.held_shares($1::bigint)");
}>;

constexpr const char* settle_share_call =
    "select weir.settle_share($1::bigint, $2::bigint, $3::jsonb, $4::int)";

constexpr const char* return_share_call =
    "select weir.return_share($1::bigint, $2::bigint, $3::int)";

Json result_of(const JournalRow& row) {
  std::vector<std::pair<std::string, Json>> members = {
      {"index", Json::number(static_cast<std::int64_t>(row.task.index))},
      {"started_at", Json::string(iso8601(row.started_at))},
      {"ended_at", Json::string(iso8601(row.ended_at))}};
  if (row.outcome != Outcome::completed)
    members.emplace_back("outcome", Json::string(name(row.outcome)));
  if (row.output) members.emplace_back("output", *row.output);
  if (!row.error_code.empty()) members.emplace_back("error_code", Json::string(row.error_code));
  if (!row.error.empty()) members.emplace_back("error", Json::string(row.error));
  if (row.retry_after)
    members.emplace_back("retry_after_ms", Json::number(row.retry_after->count()));
  return Json::object(members);
}

}  // namespace

Result<Helpers> PostgresShareStore::helpers_for(WorkerId worker, RunKey run) {
  const auto rows = session_.query(helpers_for_call, {std::to_string(worker), std::to_string(run)});
  if (!rows) return std::unexpected(rows.error());
  return helpers_columns.read_row((*rows)[0]);
}

Result<void> PostgresShareStore::offer_shares(WorkerId worker, RunKey run,
                                              std::span<const OfferedRange> ranges) {
  while (!ranges.empty()) {
    const OfferedRange& head = ranges.front();
    ArrayLiteral firsts, inputs;
    for (; !ranges.empty() && ranges.front().step == head.step &&
           ranges.front().attempt == head.attempt;
         ranges = ranges.subspan(1)) {
      firsts.add(ranges.front().first);
      inputs.add_text(Json::array(ranges.front().inputs).text());
    }
    const auto rows = session_.query(
        offer_shares_call, {std::to_string(worker), std::to_string(run), std::to_string(head.step),
                            std::to_string(head.attempt), firsts.text(), inputs.text()});
    if (!rows) return std::unexpected(rows.error());
  }
  return {};
}

Result<std::vector<HeldRange>> PostgresShareStore::take_back_shares(WorkerId worker,
                                                                    std::span<const RunKey> runs) {
  const auto rows = session_.query(take_back_shares_call, {std::to_string(worker), array_of(runs)});
  if (!rows) return std::unexpected(rows.error());
  return held_columns.read_all(*rows);
}

Result<std::vector<ShareResult>> PostgresShareStore::fetch_share_results(
    WorkerId worker, std::span<const RunKey> runs, std::span<const std::int64_t> acknowledged) {
  const auto rows = session_.query(
      fetch_share_results_call, {std::to_string(worker), array_of(runs), array_of(acknowledged)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<ShareResult> found;
  for (const auto& row : *rows) {
    ShareResult& one = found.emplace_back(share_result_columns.read_row(row));
    journal_columns.fill(one.row, row, share_result_columns.count);
  }
  return found;
}

Result<void> PostgresShareStore::drop_shares(WorkerId worker, RunKey run, std::size_t step) {
  return done(session_.query(drop_shares_call,
                             {std::to_string(worker), std::to_string(run), std::to_string(step)}));
}

Result<std::vector<TakenShare>> PostgresShareStore::take_shares(
    WorkerId worker, std::span<const VersionId> versions, std::size_t count,
    std::span<const RunKey> known_runs) {
  const auto rows = session_.query(take_shares_call, {std::to_string(worker), array_of(versions),
                                                      std::to_string(count), array_of(known_runs)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<TakenShare> taken;
  for (TakenRow& row : taken_columns.read_all(*rows)) {
    row.share.inputs = row.inputs.elements();
    WEIR_ASSERT(row.share.indexes.size() == row.share.inputs.size());
    taken.push_back(std::move(row.share));
  }
  return taken;
}

Result<std::vector<ShareId>> PostgresShareStore::held_shares(WorkerId worker) {
  return value_of<std::vector<ShareId>>(session_.query(held_shares_call, {std::to_string(worker)}));
}

Result<std::size_t> PostgresShareStore::settle_share(WorkerId worker, ShareId share,
                                                     std::span<const JournalRow> settled,
                                                     std::optional<PluginId> plugin) {
  std::vector<Json> results;
  results.reserve(settled.size());
  for (const JournalRow& row : settled) results.push_back(result_of(row));
  return value_of<std::size_t>(session_.query(
      settle_share_call, {std::to_string(worker), std::to_string(share),
                          std::string(Json::array(results).text()), parameter(plugin)}));
}

Result<void> PostgresShareStore::return_share(WorkerId worker, ShareId share, std::size_t from) {
  return done(session_.query(
      return_share_call, {std::to_string(worker), std::to_string(share), std::to_string(from)}));
}

}  // namespace weir::postgres
