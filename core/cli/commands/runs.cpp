#include "cli/commands/runs.hpp"

#include <chrono>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/command_line/grammar.hpp"
#include "cli/command_line/json_argument.hpp"
#include "cli/command_line/time_argument.hpp"
#include "cli/database.hpp"
#include "cli/terminal/effects.hpp"
#include "cli/terminal/follow.hpp"
#include "cli/views/run_view.hpp"
#include "client/run_json.hpp"

namespace weir::cli {
namespace {

const std::vector<std::string> statuses = {"queued", "running", "completed", "failed", "cancelled"};

// Reads the filter's arguments. An error has been reported.
std::expected<RunFilter, ExitCode> read_filter(const RunsList& command, Time now,
                                               Console& console) {
  RunFilter filter{.flow = command.flow,
                   .status = command.status,
                   .tag = command.tag,
                   .count_max = command.limit};
  for (const auto& [option, argument, time] :
       {std::tuple("--since", &command.since, &filter.since),
        std::tuple("--until", &command.until, &filter.until)}) {
    if (!*argument) continue;
    const auto read = read_past_time_argument(option, **argument, now, console);
    if (!read) return std::unexpected(read.error());
    *time = *read;
  }
  for (const auto& [option, argument, json] :
       {std::tuple("--input", &command.input, &filter.input_contains),
        std::tuple("--output", &command.output, &filter.output_contains)}) {
    if (!*argument) continue;
    const auto read = read_json_argument(option, **argument, console);
    if (!read) return std::unexpected(read.error());
    *json = *read;
  }
  return filter;
}

constexpr std::string_view runs_list_footer =
    R"(Lists the newest first. TIME is when they were started: a time, in UTC unless it
has an offset, or how long ago, such as 2h. --input and --output list those
whose value contains the JSON, as PostgreSQL's operator @> defines it.

Examples:
  weir runs list
  weir runs list --flow process_order --status failed --limit 100
  weir runs list --since 2h --tag eve
  weir runs list --since 2026-11-01 --until 2026-12-01 --input '{"customer": 7}'
  weir runs list --json | jq -r '.[].run_id')";

ExitCode run(const RunsList& command, const Globals& globals, Console& console) {
  const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  const auto filter = read_filter(command, now, console);
  if (!filter) return filter.error();
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto runs = opened->store->runs(*filter);
  if (!runs) return console.fail(runs.error());
  if (command.json) {
    std::vector<Json> all;
    for (const RunSummary& run : *runs) all.push_back(run_json(run));
    console.print(fmt::format("{}\n", Json::array(all).text()));
  } else if (runs->empty()) {
    console.note("no such runs");
  } else {
    console.print(runs_text(*runs, now, console.out()));
  }
  return ExitCode::ok;
}

void declare_runs_list(Grammar& grammar, CLI::App& runs) {
  constexpr std::size_t digits_max = 5;
  auto [arguments, list] =
      grammar.command<RunsList>(runs, "list", "List runs", runs_list_footer, run);
  arguments.option("--flow", list.flow, "Only runs of this flow", "SLUG")
      .option("--status", list.status, fmt::format("One of {}", fmt::join(statuses, ", ")),
              "STATUS", one_of("status", statuses))
      .option("--tag", list.tag, "With this tag", "T")
      .option("--since", list.since, "Started then or later", "TIME")
      .option("--until", list.until, "Started before", "TIME")
      .option("--input", list.input, "Whose input contains this", "JSON|@FILE|-")
      .option("--output", list.output, "Whose output contains this", "JSON|@FILE|-")
      .option("--limit", list.limit, "At most this many; default 20", "N", positive(digits_max))
      .json(list.json);
}

constexpr std::string_view runs_show_footer = R"(Examples:
  weir runs show 0198c0de-0000-7000-8000-000000000000
  weir runs show 0198c0de-0000-7000-8000-000000000000 --json | jq .output)";

ExitCode run(const RunsShow& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto report = opened->store->report(command.id);
  if (!report) return console.fail(report.error());
  console.print(command.json ? fmt::format("{}\n", run_json(*report).text())
                             : run_text(*report, console.out()));
  return ExitCode::ok;
}

void declare_runs_show(Grammar& grammar, CLI::App& runs) {
  auto [arguments, show] =
      grammar.command<RunsShow>(runs, "show", "Show one run and its steps", runs_show_footer, run);
  arguments.argument("ID", show.id, "The run's id", Arguments::Need::required).json(show.json);
}

constexpr std::string_view runs_watch_footer =
    R"(Shows every change of a step until the run is over; exits 1 when it failed.
Ctrl-C stops watching, not the run.

Example:
  weir runs watch 0198c0de-0000-7000-8000-000000000000)";

ExitCode run(const RunsWatch& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto report = follow(*opened->store, command.id, console);
  if (!report) return report.error();
  console.print(run_text(*report, console.out()));
  return report->summary.status == "completed" ? ExitCode::ok : ExitCode::failed;
}

void declare_runs_watch(Grammar& grammar, CLI::App& runs) {
  auto [arguments, watch] = grammar.command<RunsWatch>(
      runs, "watch", "Follow a run until it is over", runs_watch_footer, run);
  arguments.argument("ID", watch.id, "The run's id", Arguments::Need::required);
}

Result<Effect> cancel(RunStore& store, const std::string& id, const std::string& reason) {
  const auto cancelled = store.cancel(id, reason);
  if (!cancelled) return std::unexpected(cancelled.error());
  const auto after = store.summary(id);
  if (!after) return std::unexpected(after.error());
  return Effect{.line = fmt::format("{}  {}\n", id,
                                    !*cancelled              ? "was over: " + after->status
                                    : is_over(after->status) ? after->status
                                                             : "ends: its worker was notified"),
                .json = Json::object(std::vector<std::pair<std::string, Json>>{
                    {"run_id", Json::string(after->id)},
                    {"cancelled", Json::boolean(*cancelled)},
                    {"status", Json::string(after->status)}})};
}

constexpr std::string_view runs_cancel_footer =
    R"(Immediate if no worker owns the run; else its worker stops the running steps and
ends the run. Its child runs are cancelled too. "runs retry" opens it again.

Examples:
  weir runs cancel 0198c0de-0000-7000-8000-000000000000 --reason "wrong order"
  weir runs list --flow report --status queued --json | jq -r '.[].run_id' |
    xargs weir runs cancel)";

ExitCode run(const RunsCancel& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  Effects effects(command.json, console);
  for (const std::string& id : command.ids) effects.add(cancel(*opened->store, id, command.reason));
  return effects.end();
}

void declare_runs_cancel(Grammar& grammar, CLI::App& runs) {
  auto [arguments, cancel] =
      grammar.command<RunsCancel>(runs, "cancel", "End runs as cancelled", runs_cancel_footer, run);
  arguments.argument("ID", cancel.ids, "Ids of runs", Arguments::Need::required)
      .option("--reason", cancel.reason, "Becomes the run's error", "TEXT")
      .json(cancel.json);
}

Result<Effect> retry(RunStore& store, const std::string& id) {
  const auto tasks = store.retry(id);
  if (!tasks) return std::unexpected(tasks.error());
  return Effect{.line = *tasks == 0 ? fmt::format("{}  continues\n", id)
                                    : fmt::format("{}  continues: {} failed task{} retried\n", id,
                                                  *tasks, *tasks == 1 ? " is" : "s are"),
                .json = Json::object(std::vector<std::pair<std::string, Json>>{
                    {"run_id", Json::string(id)}, {"tasks", Json::number(*tasks)}})};
}

constexpr std::string_view runs_retry_footer =
    R"(A failed or cancelled run continues with what is missing. Completed steps, and
completed elements of a map, are kept; what failed is retried, and has all its
attempts again.

Examples:
  weir runs retry 0198c0de-0000-7000-8000-000000000000
  weir runs list --status failed --since 1h --json | jq -r '.[].run_id' |
    xargs weir runs retry)";

ExitCode run(const RunsRetry& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  Effects effects(command.json, console);
  for (const std::string& id : command.ids) effects.add(retry(*opened->store, id));
  return effects.end();
}

void declare_runs_retry(Grammar& grammar, CLI::App& runs) {
  auto [arguments, retry] = grammar.command<RunsRetry>(
      runs, "retry", "Continue failed or cancelled runs", runs_retry_footer, run);
  arguments.argument("ID", retry.ids, "Ids of runs", Arguments::Need::required).json(retry.json);
}

constexpr std::string_view runs_signal_footer =
    R"(Ends the wait step that waits for this signal, even before it begins. The
payload is in the step's output. A second signal changes nothing.

Examples:
  weir runs signal 0198c0de-0000-7000-8000-000000000000 approved
  weir runs signal ID approved --payload '{"by": "Ada"}'
  weir runs signal ID answer --payload @answer.json)";

ExitCode run(const RunsSignal& command, const Globals& globals, Console& console) {
  const auto payload = read_json_argument("--payload", command.payload, console);
  if (!payload) return payload.error();
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto sent = opened->store->signal(command.id, command.name, *payload);
  if (!sent) return console.fail(sent.error());
  if (command.json)
    console.print(fmt::format("{}\n", Json::object(std::vector<std::pair<std::string, Json>>{
                                                       {"run_id", Json::string(command.id)},
                                                       {"signal", Json::string(command.name)},
                                                       {"sent", Json::boolean(*sent)}})
                                          .text()));
  else
    console.print(fmt::format("{}  {}\n", command.id,
                              *sent ? "signalled" : "was signalled before: nothing changed"));
  return ExitCode::ok;
}

void declare_runs_signal(Grammar& grammar, CLI::App& runs) {
  auto [arguments, signal] = grammar.command<RunsSignal>(runs, "signal", "End a wait step of a run",
                                                         runs_signal_footer, run);
  arguments.argument("ID", signal.id, "The run's id", Arguments::Need::required)
      .argument("NAME", signal.name, "The signal's name", Arguments::Need::required)
      .option("--payload", signal.payload, "JSON, @FILE, or - for stdin; default null",
              "JSON|@FILE|-")
      .json(signal.json);
}

}  // namespace

void declare_runs(Grammar& grammar) {
  CLI::App& runs = grammar.group("runs", "Show and control runs");
  declare_runs_list(grammar, runs);
  declare_runs_show(grammar, runs);
  declare_runs_watch(grammar, runs);
  declare_runs_cancel(grammar, runs);
  declare_runs_retry(grammar, runs);
  declare_runs_signal(grammar, runs);
}

}  // namespace weir::cli
