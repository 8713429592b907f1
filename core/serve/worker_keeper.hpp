#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include <weir/supervisor/restart_window.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "plugin/quarantine.hpp"
#include "serve/serve_orders.hpp"
#include "serve/stop_signals.hpp"
#include "serve/worker_process.hpp"
#include "step/crash_report.hpp"

namespace weir {

/// The process `weir serve` itself, which runs no plugin code. It owns what must survive a crash of
/// a plugin, keeps a worker process running, and cleans up after each one that crashed: the attempt
/// that is to blame is charged, the others in flight start again (F1), and a plugin that keeps
/// crashing, or crashes while it is loaded, is quarantined.
///
/// When nobody is to blame, what ran is suspect (F10): a further process, which ends afterwards, runs
/// the suspects again in halves, while the worker process goes on with everything else. When that
/// process crashes, what ran in it is suspect, and the other suspects are free; a single suspect is
/// to blame.  [one thread, which must live until the process ends]
class WorkerKeeper {
 public:
  /// How many processes hold a trial at the same time; further suspects start again at once.
  static constexpr std::size_t trials_max = 4;

  WorkerKeeper(ServeOrders orders, StopSignals& signals, Log& log);

  /// Runs until a worker process ended on purpose, or a signal requested a stop between two of
  /// them; returns the exit status. Errors: those of a worker process that cannot be started;
  /// internal, kind "worker_crashed", after too many crashes in which nothing ran.
  Result<int> run();

  /// `serve` ends within worker.drain_timeout and this after a signal.
  static constexpr std::chrono::seconds stop_grace{10};

 private:
  /// A process and what must outlive it.
  struct Life {
    FlightRecorder recorder;
    WorkerProcess process;
    bool is_trial;
    std::vector<WorkerId> tries;  ///< of a trial: the crashed workers whose suspects it takes
    std::optional<std::uint64_t> oom_kills;  ///< when it began
  };

  Result<int> keep();
  Result<void> start(std::optional<ServeOrders::Trial> trial = std::nullopt);
  Result<void> clean_up(Life& life, const ProcessEnd& end);
  std::optional<ServeOrders::Trial> trial_of(const Life& life, const CrashReport& report);
  void end_crashed_workers(const Life& life, const CrashReport& report, bool tries_suspects);
  void give_up(const std::vector<WorkerId>& crashed);
  std::function<bool()> over_for_calls();
  void count_crash(const std::string& sha256, const Life& where);
  void bar_loading(const CrashReport& report);
  Result<void> count_idle_crash(const ProcessEnd& end);
  void heed_signals();
  bool is_late() const;
  std::size_t trials() const;
  std::chrono::milliseconds pause_after(const CrashReport& report);
  bool wait_for_stop(std::chrono::milliseconds pause);
  void wait_for_news();

  ServeOrders orders_;
  StopSignals& signals_;
  Log& log_;
  Quarantine quarantine_;
  RestartWindow<std::chrono::steady_clock> restarts_;
  std::list<Life> lives_;
  Steady began_{};  ///< the worker process that was started last
  std::chrono::milliseconds
      pause_{};                       ///< before the next one, after crashes nobody is to blame for
  std::optional<Steady> start_at_{};  ///< when the next one is due
  bool killed_ = false;
};

}  // namespace weir
