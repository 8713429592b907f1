#pragma once
#include <array>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <poll.h>

#include "base/child_process.hpp"
#include "base/error.hpp"
#include "base/file_descriptor.hpp"
#include "serve/serve_orders.hpp"
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

  /// Passes on so many signals, unless they were: the first as a request to drain, the second as
  /// one to stop.
  void pass_on(int signals);

  /// Ends it at once; nothing is released.
  void kill() { process_.signal(SIGKILL); }

  /// Tells the process that a plugin crashed in another one, so that it counts toward quarantine.
  void count_crash(const std::string& sha256);

  /// The plugins (sha256) that crashed isolated in processes of this one, as far as check() has taken
  /// it in; each crash is returned once.
  std::vector<std::string> take_crashes() { return std::exchange(crashes_, {}); }

  /// Takes in what the process has sent; how it ended, once it has. A process that reports that it
  /// is crashing, but does not end within some seconds, is killed; one whose trial is over is
  /// drained.
  std::optional<WorkerProcessEnd> check();

  /// When any of these is readable, or `poll_limit()` has passed, there is something to check().
  std::array<pollfd, 2> sources() const;
  std::optional<std::chrono::milliseconds> poll_limit() const;

  pid_t pid() const noexcept { return process_.pid(); }

 private:
  WorkerProcess(ChildProcess process, FileDescriptor control)
      : process_(std::move(process)), control_(std::move(control)) {}

  ChildProcess process_;
  FileDescriptor control_;
  bool connected_ = true;
  int passed_on_ = 0;
  std::optional<int> exit_status_{};
  std::vector<std::string> crashes_{};
  std::optional<std::chrono::steady_clock::time_point> kill_at_{};
};

}  // namespace weir
