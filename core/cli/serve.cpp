#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <weir/supervisor/restart_window.hpp>

#include "base/sha256.hpp"
#include "cli/catalogue.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/log.hpp"
#include "cli/stop_signals.hpp"
#include "cli/worker_process.hpp"
#include "plugin/stage.hpp"
#include "store/postgres/bury.hpp"
#include "store/postgres/migrate.hpp"
#include "worker/crash_report.hpp"

namespace weir::cli {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

/// Keeps a worker process running, and settles what each one that crashed leaves behind.
class WorkerKeeper {
 public:
  WorkerKeeper(ServeOrders orders, StopSignals& signals, Log& log, Console& console)
      : orders_(std::move(orders)),
        signals_(signals),
        log_(log),
        console_(console),
        quarantine_(quarantine_limit(orders_.config)) {}

  ExitCode run() {
    for (;;) {
      const std::size_t seats = 16 + 2 * orders_.config.worker.count * orders_.config.worker.slots;
      auto recorder = FlightRecorder::make(seats);
      if (!recorder) return console_.fail(recorder.error());
      orders_.quarantine = quarantine_.records();
      auto process = WorkerProcess::start(orders_, *recorder);
      if (!process) return console_.fail(process.error());
      const WorkerProcessEnd end = process->wait(signals_);
      if (end.farewell) return *end.farewell;

      const CrashReport report = crash_report(*recorder, end.end, orders_.stage);
      log_.error("{}", report.text);
      bury(*recorder, report);
      if (!report.sha256.empty())
        count_crash(report.sha256);
      else if (const auto over = gives_up(end.end); !over)
        return console_.fail(over.error());
      if (stops(restart_pause)) {
        log_.info("stopped");
        return ExitCode::ok;
      }
      log_.info("the worker process is started again");
    }
  }

 private:
  static constexpr milliseconds restart_pause = 50ms;

  // Waits; true as soon as we are to stop.
  bool stops(milliseconds pause) {
    pollfd signal{.fd = signals_.fd(), .events = POLLIN, .revents = 0};
    if (signals_.count() == 0) ::poll(&signal, 1, static_cast<int>(pause.count()));
    return signals_.count() > 0;
  }

  // Tries until the database answers: without it a new worker process could do nothing.
  void bury(const FlightRecorder& recorder, const CrashReport& report) {
    for (const WorkerId worker : recorder.workers()) {
      Burial burial{.worker = worker, .sha256 = report.sha256, .report = report.text};
      if (report.seat != nullptr)
        burial.culprit = {.task = {.run = report.seat->run,
                                   .task = {report.seat->step, report.seat->index},
                                   .attempt = report.seat->attempt},
                          .error_code = "worker_crashed"};
      for (milliseconds pause = 50ms;; pause = std::min(2 * pause, milliseconds(2s))) {
        const auto buried = postgres::bury(orders_.database, burial);
        if (buried) break;
        if (pause == 50ms)
          log_.warn("cannot tell the database of the crash, trying on: {}",
                    to_string(buried.error()));
        if (buried.error().code != ErrorCode::unavailable || stops(pause)) return;
      }
    }
  }

  void count_crash(const std::string& sha256) {
    const Steady now = std::chrono::steady_clock::now();
    if (const auto until = quarantine_.crashed(sha256, now))
      log_.error("plugin (sha256 {}) crashed too often: quarantined for {} s, its runs wait",
                 short_hash(sha256), std::chrono::ceil<std::chrono::seconds>(*until - now).count());
  }

  // A crash that nobody is to blame for counts against ourselves.
  Result<void> gives_up(const ProcessEnd& end) {
    const SupervisorConfig& allowed = orders_.config.supervisor;
    if (restarts_.allow(std::chrono::steady_clock::now())) return {};
    return std::unexpected(
        Error{.code = ErrorCode::internal,
              .kind = "worker_crashed",
              .message = fmt::format("\"serve\" gives up: its worker process ended {} times "
                                     "(allowed are {} restarts within {} s), at last by {}",
                                     restarts_.count() + 1, allowed.max_restarts,
                                     allowed.max_seconds.count(), to_string(end)),
              .hint = "the log tells more"});
  }

  ServeOrders orders_;
  StopSignals& signals_;
  Log& log_;
  Console& console_;
  Quarantine quarantine_;
  RestartWindow<std::chrono::steady_clock> restarts_{
      {orders_.config.supervisor.max_restarts, orders_.config.supervisor.max_seconds}};
};

}  // namespace

// This process runs no plugin's code: it holds what a crash of one must not take along, and starts
// the process that does.
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

  return WorkerKeeper({.parent = ::getpid(),
                       .config = *std::move(config),
                       .database = database->url(),
                       .stage = stage->path(),
                       .rescan = serve.rescan},
                      signals, *log, console)
      .run();
}

}  // namespace weir::cli
