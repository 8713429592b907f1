#include <fmt/format.h>

#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

const std::vector<std::string> statuses = {"queued", "running", "completed", "failed", "cancelled"};

constexpr std::string_view runs_list_footer =
    R"(The newest first. TIME is when they were started: a time, in UTC unless it says
otherwise, or how long ago, such as 2h. --input and --output list those whose
value contains the JSON, as PostgreSQL's @> means it.

Examples:
  weir runs list
  weir runs list --flow process_order --status failed --limit 100
  weir runs list --since 2h --tag eve
  weir runs list --since 2026-11-01 --until 2026-12-01 --input '{"customer": 7}'
  weir runs list --json | jq -r '.[].run_id')";

constexpr std::string_view runs_show_footer = R"(Examples:
  weir runs show 0198c0de-0000-7000-8000-000000000000
  weir runs show 0198c0de-0000-7000-8000-000000000000 --json | jq .output)";

constexpr std::string_view runs_watch_footer =
    R"(Shows every change of a step until the run is over; exits 1 when it failed.
Ctrl-C stops watching, not the run.

Example:
  weir runs watch 0198c0de-0000-7000-8000-000000000000)";

constexpr std::string_view runs_cancel_footer =
    R"(At once where no worker holds the run; else its worker stops what runs, and ends
it. Its child runs are cancelled with it. "runs retry" opens it again.

Examples:
  weir runs cancel 0198c0de-0000-7000-8000-000000000000 --reason "wrong order"
  weir runs list --flow report --status queued --json | jq -r '.[].run_id' |
    xargs weir runs cancel)";

constexpr std::string_view runs_retry_footer =
    R"(A failed or cancelled run goes on from what is missing. Completed steps, and
completed elements of a map, are kept; what failed is tried anew, with all its
attempts.

Examples:
  weir runs retry 0198c0de-0000-7000-8000-000000000000
  weir runs list --status failed --since 1h --json | jq -r '.[].run_id' |
    xargs weir runs retry)";

constexpr std::string_view runs_signal_footer =
    R"(Ends the wait step of that signal's name, also when it has not begun. The
payload is in the step's output. A second signal changes nothing, and says so.

Examples:
  weir runs signal 0198c0de-0000-7000-8000-000000000000 approved
  weir runs signal ID approved --payload '{"by": "Ada"}'
  weir runs signal ID answer --payload @answer.json)";

void declare_runs_list(Grammar& grammar, CLI::App& runs) {
  constexpr std::size_t digits_max = 5;
  auto [words, list] = grammar.command<RunsList>(runs, "list", "List runs", runs_list_footer);
  words.option("--flow", list.flow, "Of this flow alone", "SLUG")
      .option("--status", list.status, fmt::format("One of {}", fmt::join(statuses, ", ")),
              "STATUS", one_of("status", statuses))
      .option("--tag", list.tag, "With this tag", "T")
      .option("--since", list.since, "Started then or later", "TIME")
      .option("--until", list.until, "Started before", "TIME")
      .option("--input", list.input, "Whose input contains this", "JSON|@FILE|-")
      .option("--output", list.output, "Whose output contains this", "JSON|@FILE|-")
      .option("--limit", list.limit, "At most so many; default 20", "N", positive(digits_max))
      .json(list.json);
}

void declare_runs_show(Grammar& grammar, CLI::App& runs) {
  auto [words, show] =
      grammar.command<RunsShow>(runs, "show", "Show one run and its steps", runs_show_footer);
  words.argument("ID", show.id, "The run's id", Words::Need::required).json(show.json);
}

void declare_runs_watch(Grammar& grammar, CLI::App& runs) {
  auto [words, watch] =
      grammar.command<RunsWatch>(runs, "watch", "Follow a run until it is over", runs_watch_footer);
  words.argument("ID", watch.id, "The run's id", Words::Need::required);
}

void declare_runs_cancel(Grammar& grammar, CLI::App& runs) {
  auto [words, cancel] =
      grammar.command<RunsCancel>(runs, "cancel", "End runs as cancelled", runs_cancel_footer);
  words.argument("ID", cancel.ids, "Ids of runs", Words::Need::required)
      .option("--reason", cancel.reason, "Stands as the run's error", "TEXT")
      .json(cancel.json);
}

void declare_runs_retry(Grammar& grammar, CLI::App& runs) {
  auto [words, retry] = grammar.command<RunsRetry>(
      runs, "retry", "Have failed or cancelled runs go on", runs_retry_footer);
  words.argument("ID", retry.ids, "Ids of runs", Words::Need::required).json(retry.json);
}

void declare_runs_signal(Grammar& grammar, CLI::App& runs) {
  auto [words, signal] =
      grammar.command<RunsSignal>(runs, "signal", "End a wait step of a run", runs_signal_footer);
  words.argument("ID", signal.id, "The run's id", Words::Need::required)
      .argument("NAME", signal.name, "The signal's name", Words::Need::required)
      .option("--payload", signal.payload, "JSON, @FILE, or - for stdin; default null",
              "JSON|@FILE|-")
      .json(signal.json);
}

}  // namespace

void declare_runs(Grammar& grammar) {
  CLI::App& runs = grammar.group("runs", "Look at runs, and tell them things");
  declare_runs_list(grammar, runs);
  declare_runs_show(grammar, runs);
  declare_runs_watch(grammar, runs);
  declare_runs_cancel(grammar, runs);
  declare_runs_retry(grammar, runs);
  declare_runs_signal(grammar, runs);
}

}  // namespace weir::cli
