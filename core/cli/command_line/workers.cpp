#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view workers_list_footer =
    R"(Those that live first, then those that ended last. "lapsed": it was not heard of
for longer than its lease, and what it held went to others. BUSY: steps it runs,
of as many as it can.

Examples:
  weir workers list
  weir workers list --json | jq '.[] | select(.state == "alive")')";

}  // namespace

void declare_workers(Grammar& grammar) {
  CLI::App& workers = grammar.group("workers", "Look at workers");
  constexpr std::size_t digits_max = 5;
  auto [words, list] =
      grammar.command<WorkersList>(workers, "list", "List workers", workers_list_footer);
  words.option("--limit", list.limit, "At most so many; default 20", "N", positive(digits_max))
      .json(list.json);
}

}  // namespace weir::cli
