#include "cli/command_line/command_line.hpp"

#include "cli/command_line/grammar.hpp"

namespace weir::cli {

void declare_commands(Grammar& grammar) {
  declare_init(grammar);
  declare_plugins(grammar);
  declare_flows(grammar);
  declare_migrate(grammar);
  declare_doctor(grammar);
  declare_serve(grammar);
  declare_start(grammar);
  declare_runs(grammar);
  declare_schedules(grammar);
  declare_prune(grammar);
  declare_workers(grammar);
}

std::variant<CommandLine, Answer> parse_command_line(const std::vector<std::string>& arguments) {
  Grammar grammar;
  declare_commands(grammar);
  return grammar.parse(arguments);
}

std::vector<std::vector<std::string>> all_commands() {
  Grammar grammar;
  declare_commands(grammar);
  return grammar.commands();
}

}  // namespace weir::cli
