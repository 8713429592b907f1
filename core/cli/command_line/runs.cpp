#include <fmt/format.h>

#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

const std::vector<std::string> statuses = {"queued", "running", "completed", "failed", "cancelled"};

constexpr std::string_view list_footer = R"(The newest first.

Examples:
  weir runs list
  weir runs list --flow process_order --status failed --limit 100
  weir runs list --json | jq -r '.[].run_id')";

constexpr std::string_view show_footer = R"(Examples:
  weir runs show 0198c0de-0000-7000-8000-000000000000
  weir runs show 0198c0de-0000-7000-8000-000000000000 --json | jq .output)";

constexpr std::string_view watch_footer =
    R"(Shows every change of a step until the run is over; exits 1 when it failed.
Ctrl-C stops watching, not the run.

Example:
  weir runs watch 0198c0de-0000-7000-8000-000000000000)";

void declare_list(Grammar& grammar, CLI::App& runs) {
  constexpr std::size_t digits_max = 5;
  auto [words, list] = grammar.command<RunsList>(runs, "list", "List runs", list_footer);
  words.option("--flow", list.flow, "Of this flow alone", "SLUG")
      .option("--status", list.status, fmt::format("One of {}", fmt::join(statuses, ", ")),
              "STATUS", one_of("status", statuses))
      .option("--limit", list.limit, "At most so many; default 20", "N", positive(digits_max))
      .json(list.json);
}

void declare_show(Grammar& grammar, CLI::App& runs) {
  auto [words, show] =
      grammar.command<RunsShow>(runs, "show", "Show one run and its steps", show_footer);
  words.argument("ID", show.id, "The run's id", Words::Need::required).json(show.json);
}

void declare_watch(Grammar& grammar, CLI::App& runs) {
  auto [words, watch] =
      grammar.command<RunsWatch>(runs, "watch", "Follow a run until it is over", watch_footer);
  words.argument("ID", watch.id, "The run's id", Words::Need::required);
}

}  // namespace

void declare_runs(Grammar& grammar) {
  CLI::App& runs = grammar.group("runs", "Look at runs");
  declare_list(grammar, runs);
  declare_show(grammar, runs);
  declare_watch(grammar, runs);
}

}  // namespace weir::cli
