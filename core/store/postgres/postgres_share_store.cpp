#include "store/postgres/postgres_share_store.hpp"

#include <utility>

#include "base/assert.hpp"
#include "base/iso8601.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/fields.hpp"
#include "store/postgres/journal_rows.hpp"
#include "store/postgres/parameter.hpp"

namespace weir::postgres {
namespace {

constexpr const char* hands_for_call =
    "select array_to_string(slots, ' '), available from weir.helpers_for($1::bigint, $2::bigint)";

constexpr const char* offer_shares_call =  // ranges of one step and attempt
    "select weir.offer_shares($1::bigint, $2::bigint, $3::smallint, $4::smallint, $5::int[], "
    "$6::jsonb[])";

constexpr const char* take_back_shares_call =
    "select share, run, step, attempt, first_index, last_index "
    "from weir.take_back_shares($1::bigint, $2::bigint[])";

constexpr const char* hear_shares_call =
    "select news, run_id, " WEIR_JOURNAL_COLUMNS
    " from weir.fetch_share_results($1::bigint, $2::bigint[], $3::bigint[])";

constexpr const char* drop_shares_call =
    "select weir.drop_shares($1::bigint, $2::bigint, $3::smallint)";

constexpr const char* take_shares_call =
    "select share, run, run_id, version, position, attempt, array_to_string(indexes, ' '), inputs, "
    "run_input "
    "from weir.take_shares($1::bigint, $2::int[], $3::int, known_runs => $4::bigint[])";

constexpr const char* held_shares_call =
    "select array_to_string(weir.held_shares($1::bigint), ' ')";

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

Result<Hands> PostgresShareStore::hands_for(WorkerId worker, RunKey run) {
  const auto rows = session_.query(hands_for_call, {std::to_string(worker), std::to_string(run)});
  if (!rows) return std::unexpected(rows.error());
  return Hands{.slots = numbers_of<std::size_t>((*rows)[0][0]),
               .to_be_had = (*rows)[0][1].as<std::size_t>()};
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
  std::vector<HeldRange> held;
  for (const auto& row : *rows)
    held.push_back({.share = row[0].as<ShareId>(),
                    .run = row[1].as<RunKey>(),
                    .step = row[2].as<std::size_t>(),
                    .attempt = row[3].as<int>(),
                    .first = row[4].as<std::size_t>(),
                    .last = row[5].as<std::size_t>()});
  return held;
}

Result<std::vector<HeardRow>> PostgresShareStore::hear_shares(WorkerId worker,
                                                              std::span<const RunKey> runs,
                                                              std::span<const std::int64_t> heard) {
  const auto rows =
      session_.query(hear_shares_call, {std::to_string(worker), array_of(runs), array_of(heard)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<HeardRow> told;
  for (const auto& row : *rows)
    told.push_back({.news = row[0].as<std::int64_t>(),
                    .run = row[1].as<RunKey>(),
                    .row = read_journal_row(row, 2)});
  return told;
}

Result<void> PostgresShareStore::drop_shares(WorkerId worker, RunKey run, std::size_t step) {
  const auto rows = session_.query(
      drop_shares_call, {std::to_string(worker), std::to_string(run), std::to_string(step)});
  if (!rows) return std::unexpected(rows.error());
  return {};
}

Result<std::vector<TakenShare>> PostgresShareStore::take_shares(
    WorkerId worker, std::span<const VersionId> versions, std::size_t count,
    std::span<const RunKey> known_runs) {
  const auto rows = session_.query(take_shares_call, {std::to_string(worker), array_of(versions),
                                                      std::to_string(count), array_of(known_runs)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<TakenShare> taken;
  for (const auto& row : *rows) {
    TakenShare share{.share = row[0].as<ShareId>(),
                     .run = row[1].as<RunKey>(),
                     .run_id = row[2].as<std::string>(),
                     .version = row[3].as<VersionId>(),
                     .step = row[4].as<std::size_t>(),
                     .attempt = row[5].as<int>(),
                     .indexes = numbers_of<std::size_t>(row[6]),
                     .inputs = Json::trusted(row[7].as<std::string>()).elements(),
                     .run_input = {}};
    WEIR_ASSERT(share.indexes.size() == share.inputs.size());
    if (!row[8].is_null()) share.run_input = Json::trusted(row[8].as<std::string>());
    taken.push_back(std::move(share));
  }
  return taken;
}

Result<std::vector<ShareId>> PostgresShareStore::held_shares(WorkerId worker) {
  const auto rows = session_.query(held_shares_call, {std::to_string(worker)});
  if (!rows) return std::unexpected(rows.error());
  return numbers_of<ShareId>((*rows)[0][0]);
}

Result<std::size_t> PostgresShareStore::settle_share(WorkerId worker, ShareId share,
                                                     std::span<const JournalRow> settled,
                                                     std::optional<PluginId> plugin) {
  std::vector<Json> results;
  results.reserve(settled.size());
  for (const JournalRow& row : settled) results.push_back(result_of(row));
  const auto rows = session_.query(settle_share_call,
                                   {std::to_string(worker), std::to_string(share),
                                    std::string(Json::array(results).text()), parameter(plugin)});
  if (!rows) return std::unexpected(rows.error());
  return (*rows)[0][0].as<std::size_t>();
}

Result<void> PostgresShareStore::return_share(WorkerId worker, ShareId share, std::size_t from) {
  const auto rows = session_.query(
      return_share_call, {std::to_string(worker), std::to_string(share), std::to_string(from)});
  if (!rows) return std::unexpected(rows.error());
  return {};
}

}  // namespace weir::postgres
