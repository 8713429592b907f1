#include "cli/commands/workers.hpp"

#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "cli/command_line/grammar.hpp"
#include "cli/database.hpp"
#include "cli/views/worker_view.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view workers_list_footer =
    R"(Those that live first, then those that ended last. "lapsed": it was not heard of
for longer than its lease, and what it held went to others. BUSY: steps it runs,
of as many as it can.

Examples:
  weir workers list
  weir workers list --json | jq '.[] | select(.state == "alive")')";

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

}  // namespace

void declare_workers(Grammar& grammar) {
  CLI::App& workers = grammar.group("workers", "Look at workers");
  constexpr std::size_t digits_max = 5;
  auto [words, list] =
      grammar.command<WorkersList>(workers, "list", "List workers", workers_list_footer, run);
  words.option("--limit", list.limit, "At most so many; default 20", "N", positive(digits_max))
      .json(list.json);
}

}  // namespace weir::cli
