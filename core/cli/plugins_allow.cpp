#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/new_files.hpp"
#include "config/allow_hash.hpp"
#include "config/config.hpp"
#include "plugin/inspection.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;
using Member = std::pair<std::string, Json>;

Json allowed_json(const PluginInspection& plugin, bool was_there) {
  return Json::object(std::vector<Member>{{"path", Json::string(plugin.file.path)},
                                          {"sha256", Json::string(plugin.file.sha256)},
                                          {"added", Json::trusted(was_there ? "false" : "true")}});
}

}  // namespace

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
  std::string told;
  for (const PluginInspection& plugin : plugins) {
    const std::string comment =
        plugin.manifest.version.empty()
            ? plugin.manifest.plugin
            : fmt::format("{} {}", plugin.manifest.plugin, plugin.manifest.version);
    auto allowed = allow_hash(SourceText(path.string(), text), plugin.file.sha256, comment);
    if (!allowed) return console.fail(allowed.error());
    changed = changed || !allowed->was_there;
    first = first || allowed->first;
    text = std::move(allowed->text);
    told += command.json
                ? fmt::format("{}\n", allowed_json(plugin, allowed->was_there).text())
                : fmt::format(
                      "{}: {} {}\n", plugin.file.path,
                      allowed->was_there ? "was allowed already:" : "allowed:", plugin.file.sha256);
  }
  if (changed)
    if (const auto written = replace_file(path, text); !written)
      return console.fail(written.error());
  console.print(told);
  if (first)
    console.note(
        fmt::format("from now on {} allows the plugins it lists, and no others", path.string()));
  return ExitCode::ok;
}

}  // namespace weir::cli
