#include "cli/command_line/grammar.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view schedules_list_footer = R"(Examples:
  weir schedules list
  weir schedules list --json | jq -r '.[] | select(.status == "waiting").name')";

constexpr std::string_view schedules_add_footer =
    R"(CRON has five fields: minute, hour, day of month, month, day of week, with lists,
ranges, steps and names; or @daily, @hourly and so on; or @every 90s. The fields
are read by the clocks of the time zone, daylight saving included. A schedule of
that name is changed, all of it. Prints the next three ticks.

Examples:
  weir schedules add report nightly_report '30 2 * * mon-fri' --time-zone Europe/Berlin
  weir schedules add sync import_orders '@every 90s' --input '{"shop": 7}'
  weir schedules add bill monthly_bill @monthly --missed skip --tag billing)";

constexpr std::string_view schedules_remove_footer = R"(Runs that it started go on.

Example:
  weir schedules remove report)";

constexpr std::string_view schedules_pause_footer = R"(Example:
  weir schedules pause report)";

constexpr std::string_view schedules_resume_footer =
    R"(It goes on with its next tick; those while it was paused are over.

Example:
  weir schedules resume report)";

constexpr std::string_view prune_footer =
    R"(Deletes runs that ended longer ago than --older-than, or else than the retention
of flows.yaml, with their steps, signals, idempotency keys and children; in
small transactions, beside whatever else goes on. Never an open run.

Examples:
  weir prune --dry-run
  weir prune --older-than 30d
  weir prune --older-than 7d --flow import_orders)";

void declare_schedules_list(Grammar& grammar, CLI::App& schedules) {
  auto [words, list] = grammar.command<SchedulesList>(
      schedules, "list", "List schedules and when they are due", schedules_list_footer);
  words.json(list.json);
}

void declare_schedules_add(Grammar& grammar, CLI::App& schedules) {
  auto [words, add] = grammar.command<SchedulesAdd>(
      schedules, "add", "Start a flow by a cron expression", schedules_add_footer);
  words.argument("NAME", add.name, "What to call it", Words::Need::required)
      .argument("FLOW", add.flow, "The flow's slug", Words::Need::required)
      .argument("CRON", add.cron, "When: '30 2 * * *', @daily, '@every 90s'", Words::Need::required)
      .option("--input", add.input, "JSON, @FILE, or - for stdin; default null", "JSON|@FILE|-")
      .option("--time-zone", add.time_zone, "Whose clocks: Europe/Berlin; default UTC", "ZONE")
      .option("--priority", add.priority, "-100 to 100; higher first; default 0", "N")
      .option("--tag", add.tags, "Of its runs; may be repeated", "TAG")
      .option("--missed", add.missed,
              "When nobody ran in time: run (one run for all ticks missed), or skip; default run",
              "WHAT", one_of("missed", {"run", "skip"}))
      .flag("--paused", add.paused, "It starts nothing until it is resumed")
      .json(add.json);
}

void declare_schedules_others(Grammar& grammar, CLI::App& schedules) {
  auto [remove_words, remove] = grammar.command<SchedulesRemove>(
      schedules, "remove", "End a schedule", schedules_remove_footer);
  remove_words.argument("NAME", remove.name, "The schedule", Words::Need::required);
  auto [pause_words, pause] = grammar.command<SchedulesPause>(
      schedules, "pause", "Have a schedule start nothing for now", schedules_pause_footer);
  pause_words.argument("NAME", pause.name, "The schedule", Words::Need::required);
  auto [resume_words, resume] = grammar.command<SchedulesResume>(
      schedules, "resume", "Have a paused schedule go on", schedules_resume_footer);
  resume_words.argument("NAME", resume.name, "The schedule", Words::Need::required);
}

}  // namespace

void declare_schedules(Grammar& grammar) {
  CLI::App& schedules = grammar.group("schedules", "Start flows by the clock");
  declare_schedules_list(grammar, schedules);
  declare_schedules_add(grammar, schedules);
  declare_schedules_others(grammar, schedules);
}

void declare_prune(Grammar& grammar) {
  auto [words, prune] = grammar.command<Prune>(grammar.root(), "prune",
                                               "Delete runs that ended long ago", prune_footer);
  words.option("--older-than", prune.older_than, "Ended longer ago than this: 30d, 12h", "AGE")
      .option("--flow", prune.flow, "Of this flow alone", "SLUG")
      .flag("--dry-run", prune.dry_run, "Only count what would go")
      .json(prune.json);
}

}  // namespace weir::cli
