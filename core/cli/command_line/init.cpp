#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view init_footer =
    R"(Writes flows.yaml, .gitignore, plugins/, and src/ with a CMake project whose
plugin goes to plugins/. Files that are there already are never overwritten.

Examples:
  weir init                     here
  weir init shop                in shop/, which is made if it is not there
  cmake -S src -B build && cmake --build build     then builds the first plugin)";

}  // namespace

void declare_init(Grammar& grammar) {
  auto [words, init] = grammar.command<Init>(
      grammar.root(), "init", "Write a configuration and a first plugin's source", init_footer);
  words.argument("DIR", init.folder, "The folder; default: here");
}

}  // namespace weir::cli
