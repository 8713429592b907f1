#include <fmt/format.h>

#include "cli/catalogue.hpp"
#include "cli/commands.hpp"
#include "cli/flow_view.hpp"

namespace weir::cli {

ExitCode run(const FlowsShow& command, const Globals& globals, Console& console) {
  const auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  const auto catalogue = read_catalogue(*config);
  if (!catalogue) return console.fail(catalogue.error());
  const auto flow = catalogue->find(command.name);
  if (!flow) {
    warn_of(*catalogue, *config,
            console);  // the flow that is missed may be in a plugin that was refused
    return console.fail(flow.error());
  }
  if (command.json)
    console.print(fmt::format("{}\n", flow_json(**flow).text()));
  else if (command.dot)
    console.print(flow_dot((*flow)->definition));
  else
    console.print(flow_text(**flow, console.out()));
  return ExitCode::ok;
}

}  // namespace weir::cli
