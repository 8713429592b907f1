#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/run_view.hpp"
#include "client/run_json.hpp"

namespace weir::cli {

ExitCode run(const RunsList& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto runs = opened->store->runs(
      {.flow = command.flow, .status = command.status, .count_max = command.limit});
  if (!runs) return console.fail(runs.error());
  if (command.json) {
    std::vector<Json> all;
    for (const RunSummary& run : *runs) all.push_back(run_json(run));
    console.print(fmt::format("{}\n", Json::array(all).text()));
  } else if (runs->empty()) {
    console.note("no such runs");
  } else {
    const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    console.print(runs_text(*runs, now, console.out()));
  }
  return ExitCode::ok;
}

}  // namespace weir::cli
