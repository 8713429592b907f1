#include "store/postgres/bury.hpp"

#include "base/json.hpp"
#include "store/postgres/fields.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

constexpr const char* bury_call =
    "select weir.end_crashed_worker($1::bigint, $2::bigint, $3::smallint, $4::int, $5::smallint, "
    "$6, $7, $8)";

}  // namespace

Result<bool> bury(const std::string& url, const Burial& burial) {
  const auto session = Session::open(url);
  if (!session) return std::unexpected(session.error());
  Params params = {std::to_string(burial.worker)};
  if (burial.culprit) {
    const InFlightTask& charged = burial.culprit->task;
    params.insert(params.end(), {std::to_string(charged.run), std::to_string(charged.task.step),
                                 std::to_string(charged.task.index),
                                 std::to_string(charged.attempt), burial.culprit->error_code});
  } else {
    params.resize(6);
  }
  params.emplace_back(utf8_or_replaced(burial.report));
  params.push_back(burial.sha256.empty() ? std::nullopt : std::optional(burial.sha256));
  return value_of<bool>((*session)->query(bury_call, params));
}

}  // namespace weir::postgres
