#include "cli/command_line.hpp"

#include "cli/command_line/grammar.hpp"

namespace weir::cli {

std::variant<CommandLine, Answer> parse_command_line(const std::vector<std::string>& arguments) {
  Grammar grammar;
  declare_init(grammar);
  declare_plugins(grammar);
  declare_flows(grammar);
  declare_service(grammar);
  declare_start(grammar);
  declare_runs(grammar);
  declare_schedules(grammar);
  declare_prune(grammar);
  declare_workers(grammar);
  return grammar.parse(arguments);
}

}  // namespace weir::cli
