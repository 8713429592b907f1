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

/// The process `weir serve` itself, which runs no plugin code. It owns what must survive a crash of
/// a plugin, keeps a worker process running, and cleans up after each one that crashed: the attempt
/// that is to blame is charged, the others in flight start again (F1), and a plugin that keeps
/// crashing is quarantined.  [one thread, which must live until the process ends]
class WorkerKeeper {
 public:
  WorkerKeeper(ServeOrders orders, StopSignals& signals, Log& log);

  /// Runs until a worker process ended on purpose, or a signal requested a stop between two of
  /// them; returns the exit status. Errors: those of a worker process that cannot be started;
  /// internal, kind "worker_crashed", after too many crashes that no plugin is to blame for.
  Result<int> run();

 private:
  bool wait_for_stop(std::chrono::milliseconds pause);
  void end_crashed_workers(const FlightRecorder& recorder, const CrashReport& report);
  void count_crash(const std::string& sha256);
  Result<void> count_unattributed_crash(const ProcessEnd& end);

  ServeOrders orders_;
  StopSignals& signals_;
  Log& log_;
  Quarantine quarantine_;
  RestartWindow<std::chrono::steady_clock> restarts_;
};

}  // namespace weir
