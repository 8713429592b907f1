#include "cli/commands/plugins.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/printable.hpp"
#include "cli/catalogue.hpp"
#include "cli/command_line/grammar.hpp"
#include "cli/live_state.hpp"
#include "cli/new_files.hpp"
#include "cli/views/flow_view.hpp"
#include "cli/views/plugin_view.hpp"
#include "config/allow_hash.hpp"
#include "config/config.hpp"
#include "definition/flow_diff.hpp"
#include "plugin/inspection.hpp"
#include "plugin/plugin_folder.hpp"
#include "plugin/plugin_warnings.hpp"
#include "plugin/trust.hpp"

namespace weir::cli {
namespace {

using Member = std::pair<std::string, Json>;

Json warnings_json(const std::vector<PluginWarning>& warnings) {
  std::vector<Json> all;
  for (const PluginWarning& warning : warnings)
    all.push_back(Json::object(std::vector<Member>{{"kind", Json::string(warning.kind)},
                                                   {"detail", Json::string(warning.detail)},
                                                   {"hint", Json::string(warning.hint)}}));
  return Json::array(all);
}

Json faults_json(const Faults& faults) {
  std::vector<Json> all;
  for (const Error& fault : faults)
    all.push_back(Json::object(std::vector<Member>{{"kind", Json::string(fault.kind)},
                                                   {"message", Json::string(fault.message)},
                                                   {"hint", Json::string(fault.hint)}}));
  return Json::array(all);
}

Json verdict_json(const std::filesystem::path& file,
                  const std::expected<PluginInspection, PluginError>& plugin,
                  const std::vector<PluginWarning>& warnings) {
  std::vector<Member> members = {{"path", Json::string(file.string())},
                                 {"ok", Json::boolean(plugin.has_value())}};
  const auto add = [&](std::string key, std::string_view text) {
    members.emplace_back(std::move(key), Json::string(text));
  };
  if (plugin) {
    std::vector<Json> flows;
    for (const FlowDefinition& flow : plugin->flows)
      flows.push_back(Json::string(flow.slug().view()));
    add("sha256", plugin->file.sha256);
    members.emplace_back("flows", Json::array(flows));
    members.emplace_back("warnings", warnings_json(warnings));
  } else {
    const PluginError& error = plugin.error();
    add("sha256", error.sha256);
    add("stage", name(error.stage));
    add("kind", name(error.kind));
    add("detail", error.detail);
    add("hint", error.hint);
    members.emplace_back("faults", faults_json(error.faults));
  }
  return Json::object(members);
}

constexpr std::string_view plugins_lint_footer =
    R"(Runs no plugin code. Prints one line for each file: "FILE: ok", or the kind of
fault, what was found and a hint; of several faults a line for each. With --json
one object for each file, with all its faults. Exits 1 when a file is refused.
A sound file may have warnings about problems that show up later, such as code
that cannot be unloaded. They count only with --strict. A file that somebody
else may write is refused, as when it is loaded; with --content-only, as a build
needs it, only what is in the file is checked.

Examples:
  weir plugins lint plugins/*.so
  weir plugins lint --strict build/shop.so
  weir plugins lint build/shop.so --json | jq .warnings)";

ExitCode run(const PluginsLint& command, const Globals&, Console& console) {
  bool all_sound = true;
  PluginWarnings checked;
  const TrustPolicy policy{.allow_any_writer = command.content};
  for (const std::filesystem::path& file : command.files) {
    const auto plugin = inspect(file, policy);
    std::vector<PluginWarning> warnings;
    if (plugin)
      if (const auto read = read_trusted(file, policy)) warnings = checked.add(*read);
    all_sound = all_sound && plugin && (warnings.empty() || !command.strict);
    if (command.json) {
      console.print(fmt::format("{}\n", verdict_json(file, plugin, warnings).text()));
      continue;
    }
    if (!plugin) {
      console.print(printable(to_string(plugin.error()), Newlines::indented) + '\n');
      continue;
    }
    const std::string shown_file = printable(file.string());
    console.print(fmt::format("{}: {}\n", shown_file, painted(console.out(), Tone::good, "ok")));
    for (const PluginWarning& warning : warnings)
      console.print(fmt::format("{}: {}: {}: {} ({})\n", shown_file,
                                painted(console.out(), Tone::busy, "warning"), warning.kind,
                                printable(warning.detail), printable(warning.hint)));
  }
  return all_sound ? ExitCode::ok : ExitCode::failed;
}

void declare_plugins_lint(Grammar& grammar, CLI::App& plugins) {
  auto [arguments, lint] = grammar.command<PluginsLint>(
      plugins, "lint", "Check whether plugin files are sound", plugins_lint_footer, run);
  arguments.argument("FILE", lint.files, "Plugin files", Arguments::Need::required)
      .flag("--strict", lint.strict, "Exit 1 for warnings too")
      .flag("--content-only", lint.content, "Check the contents only, not who may write")
      .json(lint.json);
}

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
                                                     {"fate", Json::string(name(step.status))},
                                                     {"changes", changes_json(step.changes)}}));
  return Json::object(std::vector<Member>{{"flow", Json::string(flow.flow)},
                                          {"fate", Json::string(name(flow.status))},
                                          {"same_version", Json::boolean(flow.same_version)},
                                          {"compatible", Json::boolean(flow.compatible)},
                                          {"changes", changes_json(flow.changes)},
                                          {"steps", Json::array(steps)}});
}

std::string_view meaning(const FlowDiff& flow) {
  if (flow.status == FlowDiff::Status::added) return "new: no run of it is open";
  if (flow.status == FlowDiff::Status::removed)
    return "open runs stay with the old version, and wait if it is removed";
  if (flow.same_version) return "the same version: open runs continue";
  return flow.compatible ? "compatible: open runs may be adopted"
                         : "not compatible: open runs stay with the old version";
}

void print(const FlowDiff& flow, Console& console) {
  const Terminal& out = console.out();
  console.print(fmt::format("{}: {}\n", painted(out, Tone::strong, flow.flow),
                            painted(out, flow.compatible ? Tone::good : Tone::bad, meaning(flow))));
  const auto print_changes = [&](std::string_view of,
                                 const std::vector<DefinitionChange>& changes) {
    for (const DefinitionChange& change : changes)
      console.print(fmt::format("  {}{}: {} -> {}\n", of, change.what, printable(change.before),
                                printable(change.after)));
  };
  print_changes("", flow.changes);
  for (const StepDiff& step : flow.steps) {
    if (step.status == StepDiff::Status::changed)
      print_changes(fmt::format("step {}: ", step.step), step.changes);
    else
      console.print(fmt::format("  step {}: {}\n", step.step, name(step.status)));
  }
}

constexpr std::string_view plugins_diff_footer =
    R"(Compares the flows of two builds of a plugin; runs no code of either. A flow is
compatible when its steps, kinds, dependencies and conditions are the same,
whatever its options: the new version may then adopt open runs. Exits 1 when a
flow is not compatible.

Examples:
  weir plugins diff plugins/shop.so build/shop.so
  weir plugins diff old.so new.so --json | jq .compatible)";

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

void declare_plugins_diff(Grammar& grammar, CLI::App& plugins) {
  auto [arguments, compared] = grammar.command<PluginsDiff>(
      plugins, "diff", "Show what a new build means for open runs", plugins_diff_footer, run);
  arguments.argument("OLD", compared.before, "A plugin", Arguments::Need::required)
      .argument("NEW", compared.after, "A new build of it", Arguments::Need::required)
      .json(compared.json);
}

namespace fs = std::filesystem;
using Member = std::pair<std::string, Json>;

Json allowed_json(const PluginInspection& plugin, bool was_there) {
  return Json::object(std::vector<Member>{{"path", Json::string(plugin.file.path)},
                                          {"sha256", Json::string(plugin.file.sha256)},
                                          {"added", Json::trusted(was_there ? "false" : "true")}});
}

constexpr std::string_view plugins_allow_footer =
    R"(Adds a file's sha256 to plugins.sha256_allow in flows.yaml, and does not change
the rest of it. A file that lint refuses is refused. Once one plugin is listed,
no other is loaded.

Examples:
  weir plugins allow plugins/shop.so
  weir plugins allow build/*.so --config /etc/weir/flows.yaml)";

ExitCode run(const PluginsAllow& command, const Globals& globals, Console& console) {
  std::vector<PluginInspection> plugins;
  for (const fs::path& file : command.files) {  // nothing is written unless all are sound
    auto plugin = inspect(file);
    if (!plugin) return console.fail(to_error(plugin.error()));
    plugins.push_back(*std::move(plugin));
  }
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  const fs::path path = globals.config.value_or("flows.yaml");
  std::string text = config->source ? std::string(config->source->text()) : "";
  bool changed = false, first = false;
  std::string report;
  for (const PluginInspection& plugin : plugins) {
    const std::string comment =
        plugin.manifest.version.empty()
            ? plugin.manifest.plugin
            : fmt::format("{} {}", plugin.manifest.plugin, plugin.manifest.version);
    auto allowed =
        allow_hash(SourceText(path.string(), text), plugin.file.sha256, printable(comment));
    if (!allowed) return console.fail(allowed.error());
    changed = changed || !allowed->was_there;
    first = first || allowed->first;
    text = std::move(allowed->text);
    report += command.json ? fmt::format("{}\n", allowed_json(plugin, allowed->was_there).text())
                           : fmt::format("{}: {} {}\n", printable(plugin.file.path),
                                         allowed->was_there ? "was allowed already:" : "allowed:",
                                         plugin.file.sha256);
  }
  if (changed)
    if (const auto written = replace_file(path, text); !written)
      return console.fail(written.error());
  console.print(report);
  if (first)
    console.note(
        fmt::format("from now on {} allows the plugins it lists, and no others", path.string()));
  return ExitCode::ok;
}

void declare_plugins_allow(Grammar& grammar, CLI::App& plugins) {
  auto [arguments, allowed] = grammar.command<PluginsAllow>(
      plugins, "allow", "Add plugin files to the list of allowed ones", plugins_allow_footer, run);
  arguments.argument("FILE", allowed.files, "Plugin files", Arguments::Need::required)
      .json(allowed.json);
}

ShownPlugin shown(const std::filesystem::path& file, const TrustPolicy& policy) {
  ShownPlugin row{.path = file.string(), .in_folder = true};
  const auto plugin = inspect(file, policy);
  if (!plugin) {
    row.sha256 = plugin.error().sha256;
    row.state = "refused";
    row.kind = name(plugin.error().kind);
    row.detail = plugin.error().detail;
    row.hint = plugin.error().hint;
    return row;
  }
  row.sha256 = plugin->file.sha256;
  row.plugin = plugin->manifest.plugin;
  row.version = plugin->manifest.version;
  for (const FlowDefinition& flow : plugin->flows) row.flows.push_back(flow.slug().string());
  row.state = "sound";
  return row;
}

constexpr std::string_view plugins_list_footer =
    R"(Lists the files in the plugin folders, without running any of their code, and
what every live process reports: live, former (open runs still need it),
refused, quarantined, unload_pinned. A file that no process reports is "sound"
or "refused". Starts no database.

Examples:
  weir plugins list
  weir plugins list --json | jq '.[] | select(.state == "refused")')";

ExitCode run(const PluginsList& command, const Globals& globals, Console& console) {
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  if (const Faults faults = folder_faults(*config); !faults.empty()) return console.fail(faults);
  const TrustPolicy policy{.sha256_allow = config->plugins.sha256_allow};
  std::vector<ShownPlugin> files;
  for (const PluginFolder& folder : config->plugins.folders)
    if (const auto found = discover(folder.path))
      for (const std::filesystem::path& file : *found) files.push_back(shown(file, policy));
  std::vector<ShownPlugin> plugins =
      joined(std::move(files), live_plugins(*config, globals, console));
  if (std::ranges::any_of(plugins, [](const ShownPlugin& each) { return each.processes > 0; }))
    mark_not_served(plugins, live_versions(*config, globals, console));
  if (command.json) {
    std::vector<Json> all;
    for (const ShownPlugin& plugin : plugins) all.push_back(plugin_json(plugin));
    console.print(fmt::format("{}\n", Json::array(all).text()));
    return ExitCode::ok;
  }
  if (plugins.empty()) {
    console.note("no plugins in the plugin folders");
  } else {
    console.print(plugins_text(plugins, console.out()));
  }
  for (const ShownPlugin& plugin : plugins)
    if (const std::string reason = why(plugin); !reason.empty()) console.warn(reason);
  return ExitCode::ok;
}

void declare_plugins_list(Grammar& grammar, CLI::App& plugins) {
  auto [arguments, list] = grammar.command<PluginsList>(
      plugins, "list", "List plugin files and their states", plugins_list_footer, run);
  arguments.json(list.json);
}

}  // namespace

void declare_plugins(Grammar& grammar) {
  CLI::App& plugins = grammar.group("plugins", "Check and develop plugins");
  declare_plugins_list(grammar, plugins);
  declare_plugins_lint(grammar, plugins);
  declare_plugins_diff(grammar, plugins);
  declare_plugins_allow(grammar, plugins);
  declare_plugin_development(grammar, plugins);
}

}  // namespace weir::cli
