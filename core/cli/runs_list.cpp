#include <chrono>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/json_argument.hpp"
#include "cli/run_view.hpp"
#include "cli/time_argument.hpp"
#include "client/run_json.hpp"

namespace weir::cli {

namespace {

// The filter as it was typed. What is wrong with it was told.
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

}  // namespace

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

}  // namespace weir::cli
