#include "cli/commands/schedules.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/iso8601.hpp"
#include "cli/command_line/grammar.hpp"
#include "cli/command_line/json_argument.hpp"
#include "cli/database.hpp"
#include "cli/terminal/times.hpp"
#include "cli/views/schedule_view.hpp"

namespace weir::cli {
namespace {

constexpr std::size_t ticks_shown = 3;

Time wall_clock_now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

ExitCode print_added(const SchedulesAdd& command, const std::vector<Time>& ticks,
                     Console& console) {
  if (command.json) {
    std::vector<Json> times;
    for (const Time tick : ticks) times.push_back(Json::string(iso8601(tick)));
    console.print(fmt::format("{}\n", Json::object(std::vector<std::pair<std::string, Json>>{
                                                       {"name", Json::string(command.name)},
                                                       {"next", Json::array(times)}})
                                          .text()));
    return ExitCode::ok;
  }
  console.print(fmt::format("schedule {} starts {} at\n", command.name, command.flow));
  const Time now = wall_clock_now();
  for (const Time tick : ticks)
    console.print(fmt::format("  {} UTC, {}\n", shown_time(tick), shown_wait(tick - now)));
  if (command.paused) console.note("it is paused: weir schedules resume " + command.name);
  return ExitCode::ok;
}

// Prints the effect of a change: `done`, or `already` when there was nothing to change.
ExitCode print_change(const Result<bool>& result, const std::string& name, std::string_view done,
                      std::string_view already, Console& console) {
  if (!result) return console.fail(result.error());
  console.print(fmt::format("schedule {} {}\n", name, *result ? done : already));
  return ExitCode::ok;
}

constexpr std::string_view schedules_list_footer = R"(Examples:
  weir schedules list
  weir schedules list --json | jq -r '.[] | select(.status == "waiting").name')";

ExitCode run(const SchedulesList& command, const Globals& globals, Console& console) {
  const auto opened = open_maintenance(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto schedules = opened->store->schedules();
  if (!schedules) return console.fail(schedules.error());
  if (command.json) {
    std::vector<Json> all;
    for (const ScheduleReport& each : *schedules) all.push_back(schedule_json(each));
    console.print(fmt::format("{}\n", Json::array(all).text()));
  } else if (schedules->empty()) {
    console.note("there is no schedule: weir schedules add NAME FLOW CRON");
  } else {
    console.print(schedules_text(*schedules, wall_clock_now(), console.out()));
  }
  return ExitCode::ok;
}

void declare_schedules_list(Grammar& grammar, CLI::App& schedules) {
  auto [arguments, list] = grammar.command<SchedulesList>(
      schedules, "list", "List schedules and when they are due", schedules_list_footer, run);
  arguments.json(list.json);
}

constexpr std::string_view schedules_add_footer =
    R"(CRON has five fields (minute, hour, day of month, month, day of week) with
lists, ranges, steps and names; or it is @daily, @hourly and so on, or
@every 90s. The fields are local time in the time zone, daylight saving
included. A schedule that has this name is replaced. Prints the next three
times at which it is due.

Examples:
  weir schedules add report nightly_report '30 2 * * mon-fri' --tag nightly
  weir schedules add close close_day '0 22 * * *' --time-zone Europe/Berlin
  weir schedules add sync import_orders '@every 90s' --input '{"shop": 7}'
  weir schedules add bill monthly_bill @monthly --missed skip --tag billing)";

ExitCode run(const SchedulesAdd& command, const Globals& globals, Console& console) {
  const auto input = read_json_argument("--input", command.input, console);
  if (!input) return input.error();
  const auto opened = open_maintenance(globals, console, Database::IfMissing::make);
  if (!opened) return opened.error();
  const auto first = opened->store->schedule({.name = command.name,
                                              .flow = command.flow,
                                              .cron = command.cron,
                                              .time_zone = command.time_zone,
                                              .input = *input,
                                              .priority = command.priority,
                                              .tags = command.tags,
                                              .missed = command.missed,
                                              .paused = command.paused});
  if (!first) return console.fail(first.error());
  const auto ticks = opened->store->ticks(command.cron, command.time_zone, ticks_shown);
  if (!ticks) return console.fail(ticks.error());
  return print_added(command, *ticks, console);
}

void declare_schedules_add(Grammar& grammar, CLI::App& schedules) {
  auto [arguments, add] = grammar.command<SchedulesAdd>(
      schedules, "add", "Start a flow at the times of a cron expression", schedules_add_footer,
      run);
  arguments.argument("NAME", add.name, "The schedule's name", Arguments::Need::required)
      .argument("FLOW", add.flow, "The flow's slug", Arguments::Need::required)
      .argument("CRON", add.cron, "When: '30 2 * * *', @daily, '@every 90s'",
                Arguments::Need::required)
      .option("--input", add.input, "JSON, @FILE, or - for stdin; default null", "JSON|@FILE|-")
      .option("--time-zone", add.time_zone, "Such as Europe/Berlin; default UTC", "ZONE")
      .option("--priority", add.priority, "-100 to 100; higher first; default 0", "N")
      .option("--tag", add.tags, "A tag for its runs; may be repeated", "TAG")
      .option("--missed", add.missed, "For missed ticks: run (once), or skip; default run", "WHAT",
              one_of("missed", {"run", "skip"}))
      .flag("--paused", add.paused, "It starts nothing until it is resumed")
      .json(add.json);
}

constexpr std::string_view schedules_remove_footer = R"(Runs that it started continue.

Example:
  weir schedules remove report)";

ExitCode run(const SchedulesRemove& command, const Globals& globals, Console& console) {
  const auto opened = open_maintenance(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  return print_change(opened->store->unschedule(command.name), command.name, "removed",
                      "did not exist", console);
}

constexpr std::string_view schedules_pause_footer = R"(Example:
  weir schedules pause report)";

ExitCode run(const SchedulesPause& command, const Globals& globals, Console& console) {
  const auto opened = open_maintenance(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  return print_change(opened->store->pause_schedule(command.name), command.name, "paused",
                      "was paused already", console);
}

constexpr std::string_view schedules_resume_footer =
    R"(It continues with its next tick; ticks during the pause are skipped.

Example:
  weir schedules resume report)";

ExitCode run(const SchedulesResume& command, const Globals& globals, Console& console) {
  const auto opened = open_maintenance(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  return print_change(opened->store->resume_schedule(command.name), command.name, "resumed",
                      "was not paused", console);
}

void declare_schedules_others(Grammar& grammar, CLI::App& schedules) {
  auto [remove_arguments, remove] = grammar.command<SchedulesRemove>(
      schedules, "remove", "End a schedule", schedules_remove_footer, run);
  remove_arguments.argument("NAME", remove.name, "The schedule", Arguments::Need::required);
  auto [pause_arguments, pause] = grammar.command<SchedulesPause>(
      schedules, "pause", "Pause a schedule: start nothing", schedules_pause_footer, run);
  pause_arguments.argument("NAME", pause.name, "The schedule", Arguments::Need::required);
  auto [resume_arguments, resume] = grammar.command<SchedulesResume>(
      schedules, "resume", "Resume a paused schedule", schedules_resume_footer, run);
  resume_arguments.argument("NAME", resume.name, "The schedule", Arguments::Need::required);
}

}  // namespace

void declare_schedules(Grammar& grammar) {
  CLI::App& schedules = grammar.group("schedules", "Start flows at scheduled times");
  declare_schedules_list(grammar, schedules);
  declare_schedules_add(grammar, schedules);
  declare_schedules_others(grammar, schedules);
}

}  // namespace weir::cli
