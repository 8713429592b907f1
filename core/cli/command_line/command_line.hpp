#pragma once
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/command_line/command.hpp"

namespace weir::cli {

/// The command to run.
struct CommandLine {
  Globals globals;
  Command command;
};

/// What to print instead: help or the version (ok, to stdout), or an error (usage, to stderr).
struct Answer {
  ExitCode code = ExitCode::ok;
  std::string text;
};

/// Reads the arguments after the program's name. $WEIR_CONFIG replaces a missing --config.
std::variant<CommandLine, Answer> parse_command_line(const std::vector<std::string>& arguments);

/// The words of every command, such as {"runs", "list"}, in the order of help.
std::vector<std::vector<std::string>> all_commands();

}  // namespace weir::cli
