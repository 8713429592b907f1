#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/follow.hpp"
#include "cli/run_view.hpp"

namespace weir::cli {

ExitCode run(const RunsWatch& command, const Globals& globals, Console& console) {
  const auto opened = open_store(globals, console, Database::IfMissing::fail);
  if (!opened) return opened.error();
  const auto report = follow(*opened->store, command.id, console);
  if (!report) return report.error();
  console.print(run_text(*report, console.out()));
  return report->summary.status == "completed" ? ExitCode::ok : ExitCode::failed;
}

}  // namespace weir::cli
