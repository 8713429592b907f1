#pragma once
#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "cli/command_line/command_line.hpp"

namespace weir::testing {

/// The command that these words are.
template <class T>
T command(const std::vector<std::string>& words) {
  const auto read = cli::parse_command_line(words);
  if (const auto* const answer = std::get_if<cli::Answer>(&read)) FAIL(answer->text);
  const T* const filled = std::get<cli::CommandLine>(read).command.as<T>();
  REQUIRE(filled != nullptr);
  return *filled;
}

}  // namespace weir::testing
