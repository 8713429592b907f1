#pragma once
#include <optional>

#include "base/child_process.hpp"
#include "base/error.hpp"
#include "base/file_descriptor.hpp"
#include "serve/serve_orders.hpp"
#include "serve/stop_signals.hpp"
#include "step/flight_recorder.hpp"

namespace weir {

/// How a worker process ended.
struct WorkerProcessEnd {
  std::optional<int> exit_status;  ///< it ended on purpose, with this exit status, and logged why
  ProcessEnd end;
};

/// The process that runs the plugins' code for `weir serve`, as its parent controls it. It is this
/// program too (`weir internal work`, run_worker_process()), with the descriptors of WorkerProcess
/// in addition to the standard ones.  [one thread; the process is killed when that thread ends]
class WorkerProcess {
 public:
  static constexpr int orders_fd = 3;    ///< ServeOrders
  static constexpr int control_fd = 4;   ///< one end of control::make_pair()
  static constexpr int recorder_fd = 5;  ///< the flight recorder's memory

  /// Errors: unavailable.
  static Result<WorkerProcess> start(const ServeOrders& orders, const FlightRecorder& recorder);

  /// Waits for its end, and passes on signals meanwhile: the first as a request to drain, the
  /// second as one to stop. A process that reports that it is crashing, but does not end within
  /// some seconds, is killed.
  WorkerProcessEnd wait(StopSignals& signals);

  pid_t pid() const noexcept { return process_.pid(); }

 private:
  WorkerProcess(ChildProcess process, FileDescriptor control)
      : process_(std::move(process)), control_(std::move(control)) {}

  ChildProcess process_;
  FileDescriptor control_;
};

}  // namespace weir
