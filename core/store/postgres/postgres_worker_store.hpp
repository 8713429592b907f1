#pragma once
#include <memory>
#include <string>

#include "store/worker_store.hpp"

namespace weir::postgres {

/// How a session is to begin.
struct WorkerSession {
  bool connects_now = true;  ///< else with the first call, which then tells what is wrong
  bool listens = true;       ///< whether wait() ends when there may be runs
};

/// A worker's session with PostgreSQL; it connects again by itself after the connection broke. The
/// database must be migrated. Errors: unavailable.
Result<std::unique_ptr<WorkerStore>> open_worker_store(const std::string& url,
                                                       WorkerSession session = {});

}  // namespace weir::postgres
