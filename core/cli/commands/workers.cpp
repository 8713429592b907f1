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
    R"(Lists live workers first, then the others, most recently ended first. "lapsed":
it did not renew its lease, and its runs went to others. BUSY: the steps that it
runs, of its slots; deferred calls take none, so there can be more.

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
    console.note("no worker has joined yet: \"weir serve\" starts one");
  } else {
    const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    console.print(workers_text(*workers, now, console.out()));
  }
  return ExitCode::ok;
}

}  // namespace

void declare_workers(Grammar& grammar) {
  CLI::App& workers = grammar.group("workers", "Show workers");
  constexpr std::size_t digits_max = 5;
  auto [arguments, list] =
      grammar.command<WorkersList>(workers, "list", "List workers", workers_list_footer, run);
  arguments
      .option("--limit", list.limit, "At most this many; default 20", "N", positive(digits_max))
      .json(list.json);
}

}  // namespace weir::cli
