#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// What is known about the end of a worker whose process crashed.
struct CrashedWorker {
  /// The attempt whose code crashed: it is charged as failed.
  struct Culprit {
    InFlightTask task;
    std::string error_code;  ///< "worker_crashed"
  };

  /// A process as its workers name it when they join.
  struct Process {
    std::string host;
    int pid = 0;
  };

  WorkerId worker = 0;
  /// The process that crashed. A worker of another one is left alone: what a process that crashed
  /// says of its workers may be wrong. Without it, the id decides.
  std::optional<Process> process = {};
  std::optional<Culprit> culprit = {};
  /// Without a culprit: the attempts that ran when the process crashed. None is charged; the worker
  /// keeps their runs for a worker that joins to hold a trial of them (F10).
  std::vector<InFlightTask> suspects = {};
  /// How long it keeps them when no trial takes them over.
  std::chrono::milliseconds kept_for = std::chrono::minutes(1);
  std::string report = {};  ///< the error text of the attempt that is charged
};

}  // namespace weir
