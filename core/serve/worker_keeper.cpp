#include "serve/worker_keeper.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <poll.h>

#include "base/sha256.hpp"
#include "serve/worker_process.hpp"
#include "store/postgres/end_crashed_worker.hpp"
#include "worker/slots.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds restart_pause = 50ms;

// One for each thread that may run a handler, and some for those that a worker which was started
// again has left behind. Memory is used only for those that are taken.
std::size_t seats_for(const WorkerConfig& worker) {
  return 16 + worker.count * Slots::threads_max(worker.slots);
}

}  // namespace

WorkerKeeper::WorkerKeeper(ServeOrders orders, StopSignals& signals, Log& log)
    : orders_(std::move(orders)),
      signals_(signals),
      log_(log),
      quarantine_(quarantine_limit(orders_.config)),
      restarts_({orders_.config.supervisor.max_restarts, orders_.config.supervisor.max_seconds}) {}

Result<int> WorkerKeeper::run() {
  for (;;) {
    auto recorder = FlightRecorder::make(seats_for(orders_.config.worker));
    if (!recorder) return std::unexpected(std::move(recorder.error()));
    orders_.quarantine = quarantine_.records();
    auto process = WorkerProcess::start(orders_, *recorder);
    if (!process) return std::unexpected(std::move(process.error()));
    const WorkerProcessEnd end = process->wait(signals_);
    if (end.exit_status) return *end.exit_status;

    const CrashReport report = crash_report(*recorder, end.end, orders_.stage);
    log_.error("{}", report.text);
    end_crashed_workers(*recorder, report);
    if (!report.sha256.empty())
      count_crash(report.sha256);
    else if (auto counted = count_unattributed_crash(end.end); !counted)
      return std::unexpected(std::move(counted.error()));
    if (wait_for_stop(restart_pause)) {
      log_.info("stopped");
      return 0;
    }
    log_.info("the worker process is started again");
  }
}

// Waits for `pause`; returns true as soon as a signal requests a stop.
bool WorkerKeeper::wait_for_stop(milliseconds pause) {
  pollfd signal{.fd = signals_.fd(), .events = POLLIN, .revents = 0};
  if (signals_.count() == 0) ::poll(&signal, 1, static_cast<int>(pause.count()));
  return signals_.count() > 0;
}

// Retries until the database answers: without it a new worker process could do nothing.
void WorkerKeeper::end_crashed_workers(const FlightRecorder& recorder, const CrashReport& report) {
  for (const WorkerId worker : recorder.workers()) {
    CrashedWorker crashed{.worker = worker, .sha256 = report.sha256, .report = report.text};
    if (report.seat != nullptr)
      crashed.culprit = {.task = {.run = report.seat->run,
                                  .task = {report.seat->step, report.seat->index},
                                  .attempt = report.seat->attempt},
                         .error_code = "worker_crashed"};
    for (milliseconds pause = 50ms;; pause = std::min(2 * pause, milliseconds(2s))) {
      const auto ended = postgres::end_crashed_worker(orders_.database, crashed);
      if (ended) break;
      if (pause == 50ms)
        log_.warn("cannot report the crash to the database, retrying: {}",
                  to_string(ended.error()));
      if (ended.error().code != ErrorCode::unavailable || wait_for_stop(pause)) return;
    }
  }
}

void WorkerKeeper::count_crash(const std::string& sha256) {
  const Steady now = std::chrono::steady_clock::now();
  if (const auto until = quarantine_.crashed(sha256, now))
    log_.error("plugin (sha256 {}) crashed too often: quarantined for {} s, its runs wait",
               short_hash(sha256), std::chrono::ceil<std::chrono::seconds>(*until - now).count());
}

// A crash that no plugin is to blame for counts toward the limit of restarts.
Result<void> WorkerKeeper::count_unattributed_crash(const ProcessEnd& end) {
  const SupervisorConfig& allowed = orders_.config.supervisor;
  if (restarts_.allow(std::chrono::steady_clock::now())) return {};
  return std::unexpected(
      Error{.code = ErrorCode::internal,
            .kind = "worker_crashed",
            .message = fmt::format("\"serve\" gives up: its worker process ended {} times "
                                   "(limit: {} restarts within {} s), most recently by {}",
                                   restarts_.count() + 1, allowed.max_restarts,
                                   allowed.max_seconds.count(), to_string(end)),
            .hint = "see the log"});
}

}  // namespace weir
