#include <vector>

#include <fmt/format.h>

#include "cli/catalogue.hpp"
#include "cli/commands.hpp"
#include "cli/flow_view.hpp"

namespace weir::cli {

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
  return ExitCode::ok;
}

}  // namespace weir::cli
