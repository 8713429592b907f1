#include "cli/commands/flows.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/catalogue.hpp"
#include "cli/command_line/grammar.hpp"
#include "cli/database.hpp"
#include "cli/live_state.hpp"
#include "cli/terminal/effects.hpp"
#include "cli/views/flow_view.hpp"
#include "cli/views/version_view.hpp"

namespace weir::cli {
namespace {

// Which of these flows have runs that no worker can run.
void warn_of_waiting(std::span<const CatalogueFlow> flows,
                     const std::vector<VersionReport>& versions, Console& console) {
  for (const WaitingVersion& each : waiting_versions(versions))
    if (std::ranges::any_of(flows, [&](const CatalogueFlow& flow) {
          return flow.definition.slug().view() == each.flow;
        }))
      console.warn(each.text);
}

// Where new runs take another version than that of the plugin file.
void note_starts(const CatalogueFlow& flow, const std::vector<VersionReport>& versions,
                 Console& console) {
  const std::string_view slug = flow.definition.slug().view();
  const auto starts = std::ranges::find_if(
      versions, [&](const VersionReport& each) { return each.flow == slug && each.takes_starts; });
  if (starts == versions.end() || starts->fingerprint == flow.definition.fingerprint()) return;
  const VersionReport* const mine = find_version(versions, slug, flow.definition.fingerprint());
  console.note(fmt::format("new runs take version {}; this is {}", starts->number,
                           mine == nullptr ? "one that no worker has loaded yet"
                                           : fmt::format("version {}", mine->number)));
}

constexpr std::string_view flows_list_footer =
    R"(Reads only the plugin folders: it needs no database and runs no plugin code.
Refused plugins are reported as warnings on stderr; where a database runs, so
are flows whose runs wait because no worker can run them.

Examples:
  weir flows list
  weir flows list --json | jq -r '.[].slug')";

ExitCode run(const FlowsList& command, const Globals& globals, Console& console) {
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  const auto catalogue = read_catalogue(*config);
  if (!catalogue) return console.fail(catalogue.error());
  if (command.json) {
    std::vector<Json> flows;
    for (const CatalogueFlow& flow : catalogue->flows) flows.push_back(flow_json(flow));
    console.print(fmt::format("{}\n", Json::array(flows).text()));
  } else if (!catalogue->flows.empty()) {
    console.print(flows_text(*catalogue, console.out()));
  } else {
    std::vector<std::string> folders;
    for (const PluginFolder& folder : config->plugins.folders)
      folders.push_back(shown_path(folder.path));
    console.note(
        fmt::format("no flows in {} (\"weir init\" writes a first one)", fmt::join(folders, ", ")));
  }
  warn_of(*catalogue, *config, console);
  warn_of_waiting(catalogue->flows, live_versions(*config, globals, console), console);
  return ExitCode::ok;
}

void declare_flows_list(Grammar& grammar, CLI::App& flows) {
  auto [arguments, list] = grammar.command<FlowsList>(
      flows, "list", "List the flows in the plugin folders", flows_list_footer, run);
  arguments.json(list.json);
}

constexpr std::string_view flows_show_footer =
    R"(A label such as price[] is a map: one task for each element. The options are
those the flow runs with, including the overrides of flows.yaml. Where a
database runs, notes say whether new runs take this version.

Examples:
  weir flows show process_order
  weir flows show shop.ProcessOrder --json
  weir flows show process_order --dot | dot -Tsvg > order.svg)";

ExitCode run(const FlowsShow& command, const Globals& globals, Console& console) {
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  const auto catalogue = read_catalogue(*config);
  if (!catalogue) return console.fail(catalogue.error());
  const auto flow = catalogue->find(command.name);
  if (!flow) {
    warn_of(*catalogue, *config, console);  // the missing flow may be in a refused plugin
    return console.fail(flow.error());
  }
  if (command.json)
    console.print(fmt::format("{}\n", flow_json(**flow).text()));
  else if (command.dot)
    console.print(flow_dot((*flow)->definition));
  else
    console.print(flow_text(**flow, console.out()));
  const std::vector<VersionReport> versions = live_versions(*config, globals, console);
  note_starts(**flow, versions, console);
  warn_of_waiting({*flow, 1}, versions, console);
  return ExitCode::ok;
}

void declare_flows_show(Grammar& grammar, CLI::App& flows) {
  auto [arguments, show] = grammar.command<FlowsShow>(
      flows, "show", "Show one flow: its graph, steps and options", flows_show_footer, run);
  arguments.argument("NAME", show.name, "Slug or module name", Arguments::Need::required)
      .json(show.json)
      .flag("--dot", show.dot, "Print the graph for Graphviz", "--json");
}

constexpr std::string_view flows_versions_footer =
    R"(Open runs continue with the version they began with. New runs take the newest
version that a live worker has in its plugin folder. "safe to remove": it takes
no new runs and has no open one, so no worker needs a plugin file with it.
Versions whose runs wait, as no worker can run them, are told as warnings.

Examples:
  weir flows versions process_order
  weir flows versions process_order --json | jq '.[] | select(.safe_to_remove)')";

ExitCode run(const FlowsVersions& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto versions = opened->store->versions(command.slug);
  if (!versions) return console.fail(versions.error());
  if (command.json) {
    std::vector<Json> all;
    for (const VersionReport& version : *versions) all.push_back(version_json(version));
    console.print(fmt::format("{}\n", Json::array(all).text()));
  } else {
    const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    console.print(versions_text(*versions, now, console.out()));
  }
  for (const WaitingVersion& each : waiting_versions(*versions)) console.warn(each.text);
  return ExitCode::ok;
}

void declare_flows_versions(Grammar& grammar, CLI::App& flows) {
  auto [arguments, versions] = grammar.command<FlowsVersions>(
      flows, "versions", "List a flow's versions and their use", flows_versions_footer, run);
  arguments.argument("SLUG", versions.slug, "The flow", Arguments::Need::required)
      .json(versions.json);
}

// The versions that still have open runs, except the one that the runs shall move to.
std::vector<int> with_open_runs(const std::vector<VersionReport>& versions, std::optional<int> to) {
  std::vector<int> numbers;
  for (const VersionReport& version : versions)
    if (version.open_runs > 0 && (to ? version.number != *to : !version.takes_starts))
      numbers.push_back(version.number);
  std::ranges::sort(numbers);
  return numbers;
}

Result<Effect> adopt(RunStore& store, const std::string& slug, int version, std::optional<int> to) {
  const auto adoption = store.adopt(slug, version, to);
  if (!adoption) return std::unexpected(adoption.error());
  return Effect{.line = adoption_text(version, *adoption),
                .json = adoption_json(version, *adoption)};
}

constexpr std::string_view flows_adopt_footer =
    R"(Moves the open runs of one version to another with the same steps, kinds and
dependencies: immediately those that no worker owns, the others when their
worker releases them. New runs of the old version move too. To undo it, adopt in
the other direction.

Examples:
  weir flows adopt process_order                   all, to that of new runs
  weir flows adopt process_order --from 3 --to 2   back again)";

ExitCode run(const FlowsAdopt& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  std::vector<int> from;
  if (command.from) {
    from = {*command.from};
  } else {
    const auto versions = opened->store->versions(command.slug);
    if (!versions) return console.fail(versions.error());
    from = with_open_runs(*versions, command.to);
    if (from.empty()) console.note("no other version has open runs");
  }
  Effects effects(command.json, console);
  for (const int version : from)
    effects.add(adopt(*opened->store, command.slug, version, command.to));
  return effects.end();
}

void declare_flows_adopt(Grammar& grammar, CLI::App& flows) {
  auto [arguments, adopt] = grammar.command<FlowsAdopt>(
      flows, "adopt", "Move open runs to another version", flows_adopt_footer, run);
  arguments.argument("SLUG", adopt.slug, "The flow", Arguments::Need::required)
      .option("--from", adopt.from, "Default: every other one that has open runs", "N")
      .option("--to", adopt.to, "Default: the one that new runs take", "N")
      .json(adopt.json);
}

ExitCode set_paused(const std::string& slug, bool pause, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  RunStore& store = *opened->store;
  const auto changed = pause ? store.pause(slug) : store.resume(slug);
  if (!changed) return console.fail(changed.error());
  console.print(fmt::format(
      "{} {}{}\n", slug, *changed ? "" : "was ",
      pause
          ? (*changed ? "is paused: running steps finish, and nothing new starts" : "paused before")
          : (*changed ? "is resumed" : "not paused")));
  return ExitCode::ok;
}

constexpr std::string_view flows_pause_footer =
    R"(No step of the flow starts any more, neither in new runs nor in open ones;
running steps finish. New runs may be started: they wait.

Examples:
  weir flows pause process_order
  weir flows resume process_order)";

ExitCode run(const FlowsPause& command, const Globals& globals, Console& console) {
  return set_paused(command.slug, true, globals, console);
}

void declare_flows_pause(Grammar& grammar, CLI::App& flows) {
  auto [arguments, pause] = grammar.command<FlowsPause>(
      flows, "pause", "Pause a flow: start no steps", flows_pause_footer, run);
  arguments.argument("SLUG", pause.slug, "The flow", Arguments::Need::required);
}

constexpr std::string_view flows_resume_footer = R"(Example:
  weir flows resume process_order)";

ExitCode run(const FlowsResume& command, const Globals& globals, Console& console) {
  return set_paused(command.slug, false, globals, console);
}

void declare_flows_resume(Grammar& grammar, CLI::App& flows) {
  auto [arguments, resume] = grammar.command<FlowsResume>(flows, "resume", "Resume a paused flow",
                                                          flows_resume_footer, run);
  arguments.argument("SLUG", resume.slug, "The flow", Arguments::Need::required);
}

}  // namespace

void declare_flows(Grammar& grammar) {
  CLI::App& flows = grammar.group("flows", "Show and control flows");
  declare_flows_list(grammar, flows);
  declare_flows_show(grammar, flows);
  declare_flows_versions(grammar, flows);
  declare_flows_adopt(grammar, flows);
  declare_flows_pause(grammar, flows);
  declare_flows_resume(grammar, flows);
}

}  // namespace weir::cli
