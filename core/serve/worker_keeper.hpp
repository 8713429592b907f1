#pragma once
#include <chrono>
#include <cstddef>
#include <string>

#include <weir/supervisor/restart_window.hpp>

#include "base/child_process.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "plugin/quarantine.hpp"
#include "serve/serve_orders.hpp"
#include "serve/stop_signals.hpp"
#include "step/crash_report.hpp"

namespace weir {

/// The process `weir serve` itself: it runs no plugin's code. It holds what a crash of one must not
/// take along, keeps a worker process running, and settles what each one that crashed leaves
/// behind: the attempt that was to blame is charged, what ran beside it starts again (F1), and a
/// plugin that keeps crashing is quarantined.  [one thread, which must last]
class WorkerKeeper {
 public:
  WorkerKeeper(ServeOrders orders, StopSignals& signals, Log& log);

  /// Until the worker process ended on purpose, or a signal said stop between two of them: gives
  /// the exit status. Errors: of a worker process that cannot be started; internal, kind
  /// "worker_crashed", when too many crashed that no plugin is to blame for.
  Result<int> run();

 private:
  bool stops(std::chrono::milliseconds pause);
  void bury(const FlightRecorder& recorder, const CrashReport& report);
  void count_crash(const std::string& sha256);
  Result<void> count_crash_of_nobody(const ProcessEnd& end);

  ServeOrders orders_;
  StopSignals& signals_;
  Log& log_;
  Quarantine quarantine_;
  RestartWindow<std::chrono::steady_clock> restarts_;
};

}  // namespace weir
