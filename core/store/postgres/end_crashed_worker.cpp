#include "store/postgres/end_crashed_worker.hpp"

#include "base/json.hpp"
#include "store/postgres/fields.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

constexpr const char* end_crashed_worker_call =
    "select weir.end_crashed_worker($1::bigint, $2::bigint, $3::smallint, $4::int, $5::smallint, "
    "$6, $7, $8)";

}  // namespace

Result<bool> end_crashed_worker(const std::string& url, const CrashedWorker& crashed) {
  const auto session = Session::open(url);
  if (!session) return std::unexpected(session.error());
  Params params = {std::to_string(crashed.worker)};
  if (crashed.culprit) {
    const InFlightTask& charged = crashed.culprit->task;
    params.insert(params.end(), {std::to_string(charged.run), std::to_string(charged.task.step),
                                 std::to_string(charged.task.index),
                                 std::to_string(charged.attempt), crashed.culprit->error_code});
  } else {
    params.resize(6);
  }
  params.emplace_back(utf8_or_replaced(crashed.report));
  params.push_back(crashed.sha256.empty() ? std::nullopt : std::optional(crashed.sha256));
  return value_of<bool>((*session)->query(end_crashed_worker_call, params));
}

}  // namespace weir::postgres
