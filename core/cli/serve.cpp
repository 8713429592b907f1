#include <csignal>

#include <unistd.h>

#include "cli/catalogue.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/log.hpp"
#include "cli/stop_signals.hpp"
#include "cli/worker_process.hpp"
#include "plugin/stage.hpp"
#include "store/postgres/migrate.hpp"

namespace weir::cli {

// This process runs no plugin's code: it holds what a crash of one must not take along, and starts
// the process that does.
ExitCode run(const Serve&, const Globals& globals, Console& console) {
  StopSignals signals;
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our log that goes away must not end the work
  auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  if (const Faults faults = folder_faults(*config); !faults.empty()) return console.fail(faults);
  const auto log = make_log(config->log, console.err());

  const auto stage = StageDirectory::open();
  if (!stage) return console.fail(to_error(stage.error()));
  const auto database = Database::open(*config, globals, Database::IfMissing::make);
  if (!database) return console.fail(database.error());
  if (const auto migrated = postgres::migrate(database->url()); !migrated)
    return console.fail(migrated.error());
  log->info("database: {}", database->shown());

  auto worker = WorkerProcess::start({.parent = ::getpid(),
                                      .config = *std::move(config),
                                      .database = database->url(),
                                      .stage = stage->path()});
  if (!worker) return console.fail(worker.error());
  const WorkerProcessEnd end = worker->wait(signals);
  if (end.farewell) return *end.farewell;
  return console.fail(Error{.code = ErrorCode::internal,
                            .kind = "worker_crashed",
                            .message = "the worker process ended by " + to_string(end.end),
                            .hint = ""});
}

}  // namespace weir::cli
