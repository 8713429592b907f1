#include <csignal>
#include <utility>

#include <unistd.h>

#include "cli/catalogue.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/log.hpp"
#include "plugin/stage.hpp"
#include "serve/worker_keeper.hpp"
#include "store/postgres/migrate.hpp"

namespace weir::cli {

ExitCode run(const Serve& serve, const Globals& globals, Console& console) {
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

  WorkerKeeper keeper({.parent = ::getpid(),
                       .config = *std::move(config),
                       .database = database->url(),
                       .stage = stage->path(),
                       .rescan = serve.rescan},
                      signals, *log);
  const auto status = keeper.run();
  return status ? static_cast<ExitCode>(*status) : console.fail(status.error());
}

}  // namespace weir::cli
