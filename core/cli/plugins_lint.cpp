#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "plugin/inspection.hpp"
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
  }
  return Json::object(members);
}

}  // namespace

ExitCode run(const PluginsLint& command, const Globals&, Console& console) {
  bool all_sound = true;
  PluginWarnings beside;
  for (const std::filesystem::path& file : command.files) {
    const auto plugin = inspect(file);
    std::vector<PluginWarning> warnings;
    if (plugin)
      if (const auto again = read_trusted(file)) warnings = beside.add(*again);
    all_sound = all_sound && plugin && (warnings.empty() || !command.strict);
    if (command.json) {
      console.print(fmt::format("{}\n", verdict_json(file, plugin, warnings).text()));
      continue;
    }
    if (!plugin) {
      console.print(fmt::format("{}\n", to_string(plugin.error())));
      continue;
    }
    console.print(fmt::format("{}: {}\n", file.string(), painted(console.out(), Tone::good, "ok")));
    for (const PluginWarning& warning : warnings)
      console.print(fmt::format("{}: {}: {}: {} ({})\n", file.string(),
                                painted(console.out(), Tone::busy, "warning"), warning.kind,
                                warning.detail, warning.hint));
  }
  return all_sound ? ExitCode::ok : ExitCode::failed;
}

}  // namespace weir::cli
