#include "store/postgres/end_crashed_worker.hpp"

#include "base/json.hpp"
#include "store/postgres/array_arguments.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/fields.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

constexpr auto suspect_arguments = array_arguments_of<InFlightTask>(
    array_argument("s_run", "bigint", &InFlightTask::run),
    array_argument("s_step", "smallint", &InFlightTask::task, &TaskId::step),
    array_argument("s_index", "int", &InFlightTask::task, &TaskId::index),
    array_argument("s_attempt", "smallint", &InFlightTask::attempt));

constexpr const char* end_crashed_worker_call = literal<[] {
  int number = 11;
  return Text(
             "select weir.end_crashed_worker($1::bigint, $2::bigint, $3::smallint, $4::int, "
             "$5::smallint, $6, $7, p_kept_ms => $8::bigint, p_host => $9, p_pid => $10::int") +
         suspect_arguments.list(number) + ")";
}>;

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
  params.emplace_back(std::to_string(crashed.kept_for.count()));
  if (crashed.process)
    params.insert(params.end(), {crashed.process->host, std::to_string(crashed.process->pid)});
  else
    params.resize(params.size() + 2);
  BinaryParams suspects;
  suspect_arguments.append(suspects, crashed.suspects);
  return value_of<bool>((*session)->query(end_crashed_worker_call, params, suspects));
}

Result<void> give_up_trial(const std::string& url, const std::vector<WorkerId>& crashed) {
  const auto session = Session::open(url);
  if (!session) return std::unexpected(session.error());
  const auto done =
      (*session)->query("select weir.give_up_trial($1::bigint[])", {array_of(crashed)});
  return done ? Result<void>() : std::unexpected(done.error());
}

}  // namespace weir::postgres
