#include "serve/worker_keeper.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <poll.h>

#include "base/host_name.hpp"
#include "base/oom_kills.hpp"
#include "base/retry_log.hpp"
#include "base/sha256.hpp"
#include "serve/interruptible.hpp"
#include "store/postgres/end_crashed_worker.hpp"
#include "worker/slots.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

// After drain_timeout, for the last requests to the database; the rest of stop_grace is for the private PostgreSQL.
constexpr milliseconds process_grace = WorkerKeeper::stop_grace - 3s;
constexpr milliseconds restart_pause = 50ms;
constexpr milliseconds longest_pause = 5'000ms;
// A worker process that ran for so long did not crash at once: the next one is started soon again.
constexpr std::chrono::seconds settled_after = 30s;

InFlightTask task_of(const flight::SeatRecord& seat) {
  return {.run = seat.run, .task = {seat.step, seat.index}, .attempt = seat.attempt};
}

// The frames of a crash follow on lines of their own.
void append_to_first_line(std::string& text, const std::string& more) {
  text.insert(std::min(text.find('\n'), text.size()), more);
}

std::string suspects_text(const CrashReport& report, bool tries_suspects) {
  const std::size_t count = report.suspects.size();
  return fmt::format("; nobody is to blame: {} attempt{} {}", count, count == 1 ? "" : "s",
                     tries_suspects ? count == 1 ? "is suspect and runs again alone"
                                                 : "are suspect and run again in halves"
                     : count == 1   ? "starts again"
                                    : "start again");
}

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
  auto ended = keep();
  for (const Life& life : lives_)  // none is left unless that failed
    if (life.is_trial) give_up(life.tries);
  return ended;
}

Result<int> WorkerKeeper::keep() {
  if (auto started = start(); !started) return std::unexpected(std::move(started.error()));
  std::optional<int> status;  // of the worker process, once it ended on purpose
  for (;;) {
    for (auto life = lives_.begin(); life != lives_.end();) {
      if (status) life->process.pass_on(1);
      const auto end = life->process.check();
      for (const std::string& sha256 : life->process.take_crashes()) count_crash(sha256, *life);
      if (!end) {
        ++life;
        continue;
      }
      if (is_late()) {
        status = EXIT_FAILURE;
      } else if (end->exit_status) {
        if (!life->is_trial) status = end->exit_status;
      } else if (auto cleaned = clean_up(*life, end->end); !cleaned) {
        return std::unexpected(std::move(cleaned.error()));
      }
      if (life->is_trial) give_up(life->tries);
      life = lives_.erase(life);
    }
    if (lives_.empty() && status) return *status;
    if (lives_.empty() && signals_.count() > 0) {
      log_.info("stopped");
      return 0;
    }
    if (start_at_ && steady_clock::now() >= *start_at_ && signals_.count() == 0) {
      log_.info("the worker process is started again");
      if (auto started = start(); !started) return std::unexpected(std::move(started.error()));
    }
    heed_signals();
    wait_for_news();
  }
}

// Passes signals on. Whatever keeps a process from its end then, such as a database that does not answer: `serve` ends.
void WorkerKeeper::heed_signals() {
  const int signals = signals_.count();
  for (Life& life : lives_) life.process.pass_on(signals);
  if (!is_late() || std::exchange(killed_, true)) return;
  for (Life& life : lives_) {
    log_.error(
        "process {} has not stopped in time and is killed: what it runs starts again elsewhere",
        life.process.pid());
    life.process.kill();
  }
}

bool WorkerKeeper::is_late() const {
  const auto end_by = signals_.end_by(orders_.config.worker.drain_timeout, process_grace);
  return end_by && steady_clock::now() >= *end_by;
}

// Starts a worker process, or one that holds a trial.
Result<void> WorkerKeeper::start(std::optional<ServeOrders::Trial> trial) {
  const bool is_trial = trial.has_value();
  std::vector<WorkerId> tries = trial ? trial->of : std::vector<WorkerId>();
  auto recorder = FlightRecorder::make(seats_for(orders_.config.worker));
  if (!recorder) return std::unexpected(std::move(recorder.error()));
  orders_.quarantine = quarantine_.records();
  orders_.trial = std::move(trial);
  auto process = WorkerProcess::start(orders_, *recorder);
  if (!process) return std::unexpected(std::move(process.error()));
  lives_.push_back({.recorder = *std::move(recorder),
                    .process = *std::move(process),
                    .is_trial = is_trial,
                    .tries = std::move(tries),
                    .oom_kills = oom_kills()});
  if (is_trial) return {};
  start_at_.reset();
  began_ = steady_clock::now();
  return {};
}

// Settles a crash in the database, and has started again what must be.
Result<void> WorkerKeeper::clean_up(Life& life, const ProcessEnd& end) {
  CrashReport report = crash_report(life.recorder, end, orders_.stage, life.is_trial);
  append_to_first_line(report.text, text_of_oom_kills(end, life.oom_kills));
  auto trial = trial_of(life, report);
  std::string said = report.text;
  if (!report.suspects.empty())
    append_to_first_line(said, suspects_text(report, trial.has_value()));
  log_.error("{}", said);
  end_crashed_workers(life, report, trial.has_value());
  if (report.while_loading)
    bar_loading(report);
  else if (!report.sha256.empty())
    count_crash(report.sha256, life);
  else if (report.seat == nullptr && report.suspects.empty())
    if (auto counted = count_idle_crash(end); !counted) return counted;
  const milliseconds pause = pause_after(report);
  if (!life.is_trial) start_at_ = steady_clock::now() + pause;
  if (!trial) return {};
  const std::vector<WorkerId> suspected = trial->of;
  const bool stops = wait_for_stop(pause);
  auto started = stops ? Result<void>() : start(std::move(trial));
  if (stops || !started) give_up(suspected);
  return started;
}

// Without a stop and with a place for it: a trial of the suspects.
std::optional<ServeOrders::Trial> WorkerKeeper::trial_of(const Life& life,
                                                         const CrashReport& report) {
  if (report.suspects.empty() || trials() >= trials_max + (life.is_trial ? 1 : 0) ||
      signals_.count() > 0)
    return std::nullopt;
  ServeOrders::Trial trial{.of = life.recorder.workers(), .suspects = {}};
  for (const flight::SeatRecord* const seat : report.suspects)
    trial.suspects.push_back(task_of(*seat));
  return trial;
}

// Retries until the database answers: without it a new worker process could do nothing.
void WorkerKeeper::end_crashed_workers(const Life& life, const CrashReport& report,
                                       bool tries_suspects) {
  const auto is_over = over_for_calls();
  for (const WorkerId worker : life.recorder.workers()) {
    CrashedWorker crashed{
        .worker = worker,
        .process = CrashedWorker::Process{.host = host_name(), .pid = life.process.pid()},
        .report = report.text};
    if (report.seat != nullptr)
      crashed.culprit = {.task = task_of(*report.seat), .error_code = "worker_crashed"};
    if (tries_suspects)
      for (const flight::SeatRecord* const seat : report.suspects)
        if (seat->worker == worker) crashed.suspects.push_back(task_of(*seat));
    RetryLog told(log_, "cannot report the crash to the database",
                  "the crash is reported to the database");
    for (milliseconds pause = 50ms;; pause = std::min(2 * pause, milliseconds(2s))) {
      const auto answer = unless_over<Result<bool>>(is_over, [url = orders_.database, crashed] {
        return postgres::end_crashed_worker(url, crashed);
      });
      if (!answer) {
        log_.warn(
            "stopped before the database has taken the report of the crash: what ran starts "
            "again when the worker's lease has lapsed");
        return;
      }
      const Result<bool>& ended = *answer;
      if (ended) {
        told.succeeded();
        break;
      }
      told.failed(ended.error());
      if (ended.error().code != ErrorCode::unavailable || wait_for_stop(pause)) return;
    }
  }
}

// Frees what these crashed workers keep for a trial that is over, or will not be held. Otherwise others wait for it for
// a minute.
void WorkerKeeper::give_up(const std::vector<WorkerId>& crashed) {
  const auto done = unless_over<Result<void>>(over_for_calls(), [url = orders_.database, crashed] {
    return postgres::give_up_trial(url, crashed);
  });
  if (done && !*done)
    log_.warn("what a trial has not run waits for a minute: {}", to_string(done->error()));
}

// Whether a stop does not wait any longer for a call to the database that begins now. The other processes, which run
// on, may drain for longer than that.
std::function<bool()> WorkerKeeper::over_for_calls() {
  return [this, began = steady_clock::now()] {
    heed_signals();
    const auto signalled = signals_.end_by(0ms, 0ms);
    return signalled &&
           (is_late() || steady_clock::now() >= std::max(began, *signalled) + process_grace);
  };
}

// Passes it on to all processes but the one where it happened.
void WorkerKeeper::count_crash(const std::string& sha256, const Life& where) {
  const Steady now = steady_clock::now();
  for (Life& life : lives_)
    if (&life != &where) life.process.count_crash(sha256);
  if (const auto until = quarantine_.crashed(sha256, now))
    log_.error("plugin (sha256 {}) crashed too often: quarantined for {} s, its runs wait",
               short_hash(sha256), std::chrono::ceil<std::chrono::seconds>(*until - now).count());
}

void WorkerKeeper::bar_loading(const CrashReport& report) {
  const Steady now = steady_clock::now();
  const Steady until = quarantine_.crashed_loading(
      report.sha256, report.text.substr(0, report.text.find('\n')), now);
  log_.error("plugin (sha256 {}) is not loaded for {} s: its runs wait, the others go on",
             short_hash(report.sha256),
             std::chrono::ceil<std::chrono::seconds>(until - now).count());
}

// A crash in which no attempt ran counts toward the limit of restarts: no plugin can be to blame.
Result<void> WorkerKeeper::count_idle_crash(const ProcessEnd& end) {
  const SupervisorConfig& allowed = orders_.config.supervisor;
  if (restarts_.allow(steady_clock::now())) return {};
  return std::unexpected(
      Error{.code = ErrorCode::internal,
            .kind = "worker_crashed",
            .message = fmt::format("\"serve\" gives up: its worker process ended {} times "
                                   "(limit: {} restarts within {} s), most recently by {}",
                                   restarts_.count() + 1, allowed.max_restarts,
                                   allowed.max_seconds.count(), to_string(end)),
            .hint = "see the log"});
}

// Crashes that nobody is to blame for have no other brake: the pause doubles while they go on.
milliseconds WorkerKeeper::pause_after(const CrashReport& report) {
  if (report.suspects.empty() || steady_clock::now() - began_ >= settled_after) pause_ = {};
  pause_ = std::clamp(2 * pause_, restart_pause, longest_pause);
  return pause_;
}

std::size_t WorkerKeeper::trials() const {
  return static_cast<std::size_t>(std::ranges::count_if(lives_, &Life::is_trial));
}

// Waits for `pause`; returns true as soon as a signal requests a stop.
bool WorkerKeeper::wait_for_stop(milliseconds pause) {
  pollfd signal{.fd = signals_.fd(), .events = POLLIN, .revents = 0};
  if (signals_.count() == 0) ::poll(&signal, 1, static_cast<int>(pause.count()));
  return signals_.count() > 0;
}

// Waits until a process has something to check(), a signal arrives that heed_signals() has not counted, or
// something is to be started or killed.
void WorkerKeeper::wait_for_news() {
  std::vector<pollfd> sources = {{.fd = signals_.fd(), .events = POLLIN, .revents = 0}};
  std::optional<milliseconds> limit;
  if (start_at_ && !signals_.any())
    limit = std::max(std::chrono::ceil<milliseconds>(*start_at_ - steady_clock::now()), 0ms);
  if (const auto end_by = signals_.end_by(orders_.config.worker.drain_timeout, process_grace);
      end_by && !killed_)
    limit = std::max(std::chrono::ceil<milliseconds>(*end_by - steady_clock::now()), 0ms);
  for (const Life& life : lives_) {
    for (const pollfd& source : life.process.sources()) sources.push_back(source);
    if (const auto poll = life.process.poll_limit()) limit = std::min(limit.value_or(*poll), *poll);
  }
  ::poll(sources.data(), sources.size(), limit ? static_cast<int>(limit->count()) : -1);
}

}  // namespace weir
