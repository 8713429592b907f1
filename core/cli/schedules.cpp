#include <chrono>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/iso8601.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/json_argument.hpp"
#include "cli/schedule_view.hpp"
#include "cli/times.hpp"

namespace weir::cli {
namespace {

constexpr std::size_t ticks_shown = 3;

Time now_for_people() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

ExitCode added(const SchedulesAdd& command, const std::vector<Time>& ticks, Console& console) {
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
  const Time now = now_for_people();
  for (const Time tick : ticks)
    console.print(fmt::format("  {} UTC, {}\n", shown_time(tick), shown_wait(tick - now)));
  if (command.paused) console.note("it is paused: weir schedules resume " + command.name);
  return ExitCode::ok;
}

// A pause or its end: `done` says what happened, `already` that it was so.
ExitCode turned(const Result<bool>& result, const std::string& name, std::string_view done,
                std::string_view already, Console& console) {
  if (!result) return console.fail(result.error());
  console.print(fmt::format("schedule {} {}\n", name, *result ? done : already));
  return ExitCode::ok;
}

}  // namespace

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
    console.print(schedules_text(*schedules, now_for_people(), console.out()));
  }
  return ExitCode::ok;
}

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
  return added(command, *ticks, console);
}

ExitCode run(const SchedulesRemove& command, const Globals& globals, Console& console) {
  const auto opened = open_maintenance(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  return turned(opened->store->unschedule(command.name), command.name, "removed", "was not there",
                console);
}

ExitCode run(const SchedulesPause& command, const Globals& globals, Console& console) {
  const auto opened = open_maintenance(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  return turned(opened->store->pause_schedule(command.name), command.name, "paused",
                "was paused already", console);
}

ExitCode run(const SchedulesResume& command, const Globals& globals, Console& console) {
  const auto opened = open_maintenance(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  return turned(opened->store->resume_schedule(command.name), command.name, "goes on",
                "was not paused", console);
}

}  // namespace weir::cli
