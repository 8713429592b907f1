#include "cli/commands/serve.hpp"

#include <chrono>
#include <csignal>
#include <memory>
#include <utility>

#include <unistd.h>

#include <weir/supervisor.hpp>

#include "cli/catalogue.hpp"
#include "cli/command_line/grammar.hpp"
#include "cli/database.hpp"
#include "cli/log.hpp"
#include "plugin/stage.hpp"
#include "serve/interruptible.hpp"
#include "serve/postgres_keeper.hpp"
#include "serve/worker_keeper.hpp"
#include "store/postgres/call_watch.hpp"
#include "store/postgres/notice_log.hpp"

namespace weir::cli {
namespace {

constexpr std::string_view serve_footer =
    R"(SIGTERM or Ctrl-C lets running steps finish (worker.drain_timeout) and releases
the rest; a second one releases everything immediately. Any number of
"weir serve" may share one database. Its schema is made by "weir migrate", or by
this command where flows.yaml has "migrate: true" beside the database's url. The
schema of the private PostgreSQL is always brought up to date.

Every plugin is scanned in a separate process before it is loaded. The verdict
is kept while its bytes, this program and the libraries it needs are the same;
--rescan scans all plugins again.

Examples:
  weir serve
  weir serve --config /etc/weir/flows.yaml)";

// What keeps the private PostgreSQL running; null for a database that is named.
Result<std::unique_ptr<Supervisor>> keep_postgres(const Database& database,
                                                  const StopSignals& signals,
                                                  const std::shared_ptr<Log>& log) {
  if (!database.local()) return nullptr;
  return Supervisor::start(
      {.name = "serve"},
      {postgres_keeper(database.local(), [&signals] { return signals.any(); }, log)});
}

// Makes the private PostgreSQL end in time, however `serve` ends.
class StopsInTime {
 public:
  StopsInTime(const Database& database, StopSignals& signals, std::chrono::milliseconds drain)
      : database_(database), signals_(signals), drain_(drain) {}
  StopsInTime(const StopsInTime&) = delete;
  StopsInTime& operator=(const StopsInTime&) = delete;
  ~StopsInTime() {
    if (!database_.local()) return;
    constexpr std::chrono::seconds at_last{1};  // LocalPostgres::stop_by
    signals_.count();
    database_.local()->stop_by(
        signals_.end_by(drain_, WorkerKeeper::stop_grace)
            .value_or(std::chrono::steady_clock::now() + WorkerKeeper::stop_grace) -
        at_last);
  }

 private:
  const Database& database_;
  StopSignals& signals_;
  const std::chrono::milliseconds drain_;
};

ExitCode run(const Serve& serve, const Globals& globals, Console& console) {
  StopSignals signals;
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our log that ends must not end this process
  auto config = load_config(globals.config);
  if (!config) return console.fail(config.error());
  if (const Faults faults = folder_faults(*config); !faults.empty()) return console.fail(faults);
  const auto log = make_log(config->log, console.err());
  postgres::log_notices(log);
  const postgres::CallWatch watch(config->worker.lease / 3, postgres::CallWatch::into(log));

  const auto stage = StageDirectory::open();
  if (!stage) return console.fail(to_error(stage.error()));
  const auto is_stopped = [&signals] { return signals.count() > 0; };
  const auto database =
      Database::open(*config, globals, Database::IfMissing::make, {.cancelled = is_stopped});
  if (!database) {
    if (database.error().kind != "cancelled") return console.fail(database.error());
    log->warn("stopped while the private PostgreSQL started");
    return ExitCode::ok;
  }
  const StopsInTime in_time(*database, signals, config->worker.drain_timeout);
  const bool may_migrate = database->local() || (config->database.migrate && !globals.database);
  // A migration that is cut off changes nothing.
  const auto answer = unless_over<Result<SchemaState>>(
      is_stopped,
      [url = database->url(), migrates = may_migrate ? Migrates::older : Migrates::never] {
        return checked_schema(url, migrates);
      });
  if (!answer) {
    log->warn("stopped while it looked at the schema of {}", database->shown());
    return ExitCode::ok;
  }
  const Result<SchemaState>& schema = *answer;
  if (!schema) return console.fail(schema.error());
  log->info("database: {}, schema {}", database->shown(), schema->database);
  if (!schema->remark.empty()) log->warn("{}", schema->remark);

  auto keepers = keep_postgres(*database, signals, log);
  if (!keepers) return console.fail(keepers.error());
  WorkerKeeper keeper({.parent = ::getpid(),
                       .config = *std::move(config),
                       .database = database->url(),
                       .stage = stage->path(),
                       .rescan = serve.rescan},
                      signals, *log);
  const auto status = keeper.run();
  return status ? static_cast<ExitCode>(*status) : console.fail(status.error());
}

}  // namespace

void declare_serve(Grammar& grammar) {
  auto [arguments, serve] = grammar.command<Serve>(
      grammar.root(), "serve", "Load the plugins and run steps until SIGTERM", serve_footer, run);
  arguments.flag("--rescan", serve.rescan, "Scan every plugin again, even those known as sound");
}

}  // namespace weir::cli
