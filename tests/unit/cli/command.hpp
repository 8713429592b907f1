#pragma once
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "cli/command_line.hpp"

namespace weir::testing {

/// The command that these words are.
template <class T>
T command(const std::vector<std::string>& words) {
  const auto read = cli::parse_command_line(words);
  if (const auto* const answer = std::get_if<cli::Answer>(&read)) FAIL(answer->text);
  return std::get<T>(std::get<cli::CommandLine>(read).command);
}

}  // namespace weir::testing
