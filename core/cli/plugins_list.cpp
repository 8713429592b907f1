#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/catalogue.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/flow_view.hpp"
#include "cli/plugin_view.hpp"
#include "plugin/inspection.hpp"
#include "plugin/plugin_folder.hpp"
#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_run_store.hpp"

namespace weir::cli {
namespace {

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

// What live processes say; nothing where there is no database, or nobody uses it. Does not start
// one, and changes nothing in it.
std::vector<ReportedPlugin> reported(const Config& config, const Globals& globals,
                                     Console& console) {
  const bool named = globals.database || config.database;
  if (!named && !LocalPostgres::is_running(config.folder / ".weir")) return {};
  const auto failed = [&](const Error& error) {
    console.note("what live processes say is not known: " + to_string(error));
    return std::vector<ReportedPlugin>();
  };
  const auto database = Database::open(config, globals, Database::IfMissing::fail);
  if (!database) return failed(database.error());
  const auto state = postgres::schema_state(database->url());
  if (!state) return failed(state.error());
  if (!state->current()) return {};  // nobody of this version serves there
  const auto store = postgres::open_run_store(database->url());
  if (!store) return failed(store.error());
  auto plugins = (*store)->plugins();
  return plugins ? *std::move(plugins) : failed(plugins.error());
}

}  // namespace

ExitCode run(const PluginsList& command, const Globals& globals, Console& console) {
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  if (const Faults faults = folder_faults(*config); !faults.empty()) return console.fail(faults);
  const TrustPolicy policy{.sha256_allow = config->plugins.sha256_allow};
  std::vector<ShownPlugin> files;
  for (const PluginFolder& folder : config->plugins.folders)
    if (const auto found = discover(folder.path))
      for (const std::filesystem::path& file : *found) files.push_back(shown(file, policy));
  const std::vector<ShownPlugin> plugins =
      joined(std::move(files), reported(*config, globals, console));
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

}  // namespace weir::cli
