#pragma once
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/commands.hpp"

namespace weir::cli {

/// What to do.
struct CommandLine {
  Globals globals;
  Command command;
};

/// What to say instead: help or the version (ok, to stdout), or what is wrong (usage, to stderr).
struct Answer {
  ExitCode code = ExitCode::ok;
  std::string text;
};

/// Reads the arguments after the program's name. $WEIR_CONFIG stands in for a missing --config.
std::variant<CommandLine, Answer> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace weir::cli
