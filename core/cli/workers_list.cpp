#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/worker_view.hpp"

namespace weir::cli {

ExitCode run(const WorkersList& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto workers = opened->store->workers(command.limit);
  if (!workers) return console.fail(workers.error());
  if (command.json) {
    std::vector<Json> all;
    for (const WorkerReport& worker : *workers) all.push_back(worker_json(worker));
    console.print(fmt::format("{}\n", Json::array(all).text()));
  } else if (workers->empty()) {
    console.note("no worker has been here: \"weir serve\" starts one");
  } else {
    const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    console.print(workers_text(*workers, now, console.out()));
  }
  return ExitCode::ok;
}

}  // namespace weir::cli
