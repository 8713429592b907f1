#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/run_view.hpp"
#include "client/run_json.hpp"

namespace weir::cli {

ExitCode run(const RunsShow& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto report = opened->store->report(command.id);
  if (!report) return console.fail(report.error());
  console.print(command.json ? fmt::format("{}\n", run_json(*report).text())
                             : run_text(*report, console.out()));
  return ExitCode::ok;
}

}  // namespace weir::cli
