#pragma once
#include <optional>
#include <string>

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

  WorkerId worker = 0;
  std::optional<Culprit> culprit = {};
  /// Of the plugin to blame: without a culprit, its attempts in flight count as lost. Empty without
  /// a culprit: no plugin is known to blame, and all attempts in flight count as lost.
  std::string sha256 = {};
  std::string report = {};  ///< the error text of the attempts that are charged
};

}  // namespace weir
