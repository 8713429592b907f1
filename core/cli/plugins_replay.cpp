#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/table.hpp"
#include "trial/replay.hpp"
#include "trial/trial_flow.hpp"

namespace weir::cli {
namespace {

using Member = std::pair<std::string, Json>;
using Verdict = ReplayedAttempt::Verdict;

std::string told(const ReplayedAttempt& attempt) {
  const auto or_nothing = [](const std::string& json) { return json.empty() ? "nothing" : json; };
  if (attempt.verdict == Verdict::differs)
    return fmt::format("at \"{}\": {} -> {}", attempt.difference.pointer,
                       or_nothing(attempt.difference.before), or_nothing(attempt.difference.after));
  return attempt.error;
}

Json attempt_json(const ReplayedAttempt& attempt) {
  std::vector<Member> members = {
      {"step", Json::string(attempt.step)},
      {"task_index", Json::number(static_cast<std::int64_t>(attempt.index))},
      {"attempt", Json::number(attempt.attempt)},
      {"recorded", Json::string(name(attempt.recorded))},
      {"verdict", Json::string(name(attempt.verdict))}};
  if (attempt.verdict == Verdict::differs) {
    members.emplace_back("differs_at", Json::string(attempt.difference.pointer));
    members.emplace_back("before", Json::string(attempt.difference.before));
    members.emplace_back("after", Json::string(attempt.difference.after));
  }
  if (!attempt.error.empty()) {
    members.emplace_back("error_code", Json::string(attempt.error_code));
    members.emplace_back("error", Json::string(attempt.error));
  }
  return Json::object(members);
}

}  // namespace

ExitCode run(const PluginsReplay& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto recorded = opened->store->recorded(command.run);
  if (!recorded) return console.fail(recorded.error());
  const auto plugin = loaded_plugin(command.with);
  if (!plugin) return console.fail(plugin.error());
  auto flow = flow_of(*plugin, recorded->flow);
  if (!flow) return console.fail(flow.error());
  const auto attempts = replay(*recorded, FlowHandle(*std::move(flow)));
  if (!attempts) return console.fail(attempts.error());

  const auto differing = std::ranges::count_if(
      *attempts, [](const ReplayedAttempt& each) { return !is_as_before(each.verdict); });
  if (command.json) {
    std::vector<Json> all;
    for (const ReplayedAttempt& each : *attempts) all.push_back(attempt_json(each));
    console.print(fmt::format(
        "{}\n", Json::object(std::vector<Member>{{"run_id", Json::string(command.run)},
                                                 {"flow", Json::string(recorded->flow)},
                                                 {"version", Json::number(recorded->version)},
                                                 {"differing", Json::number(differing)},
                                                 {"attempts", Json::array(all)}})
                    .text()));
    return differing == 0 ? ExitCode::ok : ExitCode::failed;
  }
  Table table({{"STEP", Table::Column::whole},
               {"ATTEMPT", Table::Column::right},
               {"RECORDED", Table::Column::whole},
               {"NOW", Table::Column::whole},
               {"WHAT"}});
  for (const ReplayedAttempt& each : *attempts)
    table.add(
        {{each.index > 0 ? fmt::format("{}[{}]", each.step, each.index) : each.step},
         {std::to_string(each.attempt)},
         {std::string(name(each.recorded))},
         {std::string(name(each.verdict)), is_as_before(each.verdict) ? Tone::good : Tone::bad},
         {told(each)}});
  console.print(table.text(console.out()));
  console.print(fmt::format("\n{} of {} attempts differ\n", differing, attempts->size()));
  return differing == 0 ? ExitCode::ok : ExitCode::failed;
}

}  // namespace weir::cli
