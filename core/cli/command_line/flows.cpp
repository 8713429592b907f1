#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view flows_list_footer =
    R"(Reads the plugin folders alone: no database, and no code of a plugin runs.
Plugins that are refused are warnings on stderr.

Examples:
  weir flows list
  weir flows list --json | jq -r '.[].slug')";

constexpr std::string_view flows_show_footer =
    R"(A label such as price[] is a map: one task for each element. The options are
those the flow runs with, the overrides of flows.yaml included.

Examples:
  weir flows show process_order
  weir flows show shop.ProcessOrder --json
  weir flows show process_order --dot | dot -Tsvg > order.svg)";

constexpr std::string_view flows_versions_footer =
    R"(Open runs end with the version they began with. "safe to remove": it is not the
newest, no open run is left, so no worker needs a plugin file with it any more.

Examples:
  weir flows versions process_order
  weir flows versions process_order --json | jq '.[] | select(.safe_to_remove)')";

constexpr std::string_view flows_adopt_footer =
    R"(Moves the open runs of one version to another with the same steps, kinds and
dependencies: at once those that no worker holds, the others as soon as one lets
go of them. New runs of the old version go on with the new one too. Adopting the
other way round takes it back.

Examples:
  weir flows adopt process_order                   all open runs to the newest
  weir flows adopt process_order --from 3 --to 2   back again)";

constexpr std::string_view flows_pause_footer =
    R"(No run of the flow is begun, and no step of one that is open; steps that run go
on to their end. Runs may be started: they wait.

Examples:
  weir flows pause process_order
  weir flows resume process_order)";

constexpr std::string_view flows_resume_footer = R"(Example:
  weir flows resume process_order)";

void declare_flows_list(Grammar& grammar, CLI::App& flows) {
  auto [words, list] = grammar.command<FlowsList>(
      flows, "list", "List the flows in the plugin folders", flows_list_footer);
  words.json(list.json);
}

void declare_flows_show(Grammar& grammar, CLI::App& flows) {
  auto [words, show] = grammar.command<FlowsShow>(
      flows, "show", "Show one flow: its graph, steps and options", flows_show_footer);
  words.argument("NAME", show.name, "Slug or module name", Words::Need::required)
      .json(show.json)
      .flag("--dot", show.dot, "Print the graph for Graphviz", "--json");
}

void declare_flows_versions(Grammar& grammar, CLI::App& flows) {
  auto [words, versions] = grammar.command<FlowsVersions>(
      flows, "versions", "List a flow's versions and who needs them", flows_versions_footer);
  words.argument("SLUG", versions.slug, "The flow", Words::Need::required).json(versions.json);
}

void declare_flows_adopt(Grammar& grammar, CLI::App& flows) {
  auto [words, adopt] = grammar.command<FlowsAdopt>(
      flows, "adopt", "Move open runs to another version", flows_adopt_footer);
  words.argument("SLUG", adopt.slug, "The flow", Words::Need::required)
      .option("--from", adopt.from, "Default: every other one that has open runs", "N")
      .option("--to", adopt.to, "Default: the newest", "N")
      .json(adopt.json);
}

void declare_flows_pause(Grammar& grammar, CLI::App& flows) {
  auto [words, pause] =
      grammar.command<FlowsPause>(flows, "pause", "Begin nothing of a flow", flows_pause_footer);
  words.argument("SLUG", pause.slug, "The flow", Words::Need::required);
}

void declare_flows_resume(Grammar& grammar, CLI::App& flows) {
  auto [words, resume] = grammar.command<FlowsResume>(flows, "resume", "Have a paused flow go on",
                                                      flows_resume_footer);
  words.argument("SLUG", resume.slug, "The flow", Words::Need::required);
}

}  // namespace

void declare_flows(Grammar& grammar) {
  CLI::App& flows = grammar.group("flows", "Look at the flows that plugins hold");
  declare_flows_list(grammar, flows);
  declare_flows_show(grammar, flows);
  declare_flows_versions(grammar, flows);
  declare_flows_adopt(grammar, flows);
  declare_flows_pause(grammar, flows);
  declare_flows_resume(grammar, flows);
}

}  // namespace weir::cli
