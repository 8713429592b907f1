#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "definition/flow_diff.hpp"
#include "plugin/inspection.hpp"

namespace weir::cli {
namespace {

using Member = std::pair<std::string, Json>;

Json changes_json(const std::vector<DefinitionChange>& changes) {
  std::vector<Json> all;
  for (const DefinitionChange& change : changes)
    all.push_back(Json::object(std::vector<Member>{{"what", Json::string(change.what)},
                                                   {"before", Json::string(change.before)},
                                                   {"after", Json::string(change.after)}}));
  return Json::array(all);
}

Json diff_json(const FlowDiff& flow) {
  std::vector<Json> steps;
  for (const StepDiff& step : flow.steps)
    steps.push_back(Json::object(std::vector<Member>{{"step", Json::string(step.step)},
                                                     {"fate", Json::string(name(step.fate))},
                                                     {"changes", changes_json(step.changes)}}));
  return Json::object(std::vector<Member>{{"flow", Json::string(flow.flow)},
                                          {"fate", Json::string(name(flow.fate))},
                                          {"same_version", Json::boolean(flow.same_version)},
                                          {"compatible", Json::boolean(flow.compatible)},
                                          {"changes", changes_json(flow.changes)},
                                          {"steps", Json::array(steps)}});
}

std::string_view meaning(const FlowDiff& flow) {
  if (flow.fate == FlowDiff::Fate::added) return "new: no run of it is open";
  if (flow.fate == FlowDiff::Fate::removed)
    return "open runs end with the old version, and wait where it is gone";
  if (flow.same_version) return "the same version: open runs go on";
  return flow.compatible ? "compatible: open runs may be adopted"
                         : "not compatible: open runs end with the old version";
}

void print(const FlowDiff& flow, Console& console) {
  const Terminal& out = console.out();
  console.print(fmt::format("{}: {}\n", painted(out, Tone::strong, flow.flow),
                            painted(out, flow.compatible ? Tone::good : Tone::bad, meaning(flow))));
  const auto tell = [&](std::string_view of, const std::vector<DefinitionChange>& changes) {
    for (const DefinitionChange& change : changes)
      console.print(
          fmt::format("  {}{}: {} -> {}\n", of, change.what, change.before, change.after));
  };
  tell("", flow.changes);
  for (const StepDiff& step : flow.steps) {
    if (step.fate == StepDiff::Fate::changed)
      tell(fmt::format("step {}: ", step.step), step.changes);
    else
      console.print(fmt::format("  step {}: {}\n", step.step, name(step.fate)));
  }
}

}  // namespace

ExitCode run(const PluginsDiff& command, const Globals&, Console& console) {
  const auto before = inspect(command.before);
  if (!before) return console.fail(to_error(before.error()));
  const auto after = inspect(command.after);
  if (!after) return console.fail(to_error(after.error()));
  const std::vector<FlowDiff> flows = diff(before->flows, after->flows);
  const bool compatible = std::ranges::all_of(flows, &FlowDiff::compatible);
  if (command.json) {
    std::vector<Json> all;
    for (const FlowDiff& flow : flows) all.push_back(diff_json(flow));
    console.print(fmt::format(
        "{}\n", Json::object(std::vector<Member>{{"before", Json::string(before->file.sha256)},
                                                 {"after", Json::string(after->file.sha256)},
                                                 {"compatible", Json::boolean(compatible)},
                                                 {"flows", Json::array(all)}})
                    .text()));
  } else {
    for (const FlowDiff& flow : flows) print(flow, console);
  }
  return compatible ? ExitCode::ok : ExitCode::failed;
}

}  // namespace weir::cli
