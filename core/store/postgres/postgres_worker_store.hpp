#pragma once
#include <memory>
#include <string>

#include "base/log.hpp"
#include "store/postgres/connection_string.hpp"
#include "store/worker_store.hpp"

namespace weir::postgres {

/// How a session begins.
struct WorkerSession {
  bool connects_now = true;  ///< false: the first call connects, and returns the error if it cannot
  bool listens = true;       ///< whether wait() ends when there may be runs
  NetworkLimits limits = {};
  std::shared_ptr<Log> log = nullptr;  ///< for what the session does on its own
};

/// A worker's session with PostgreSQL; it reconnects by itself after the connection broke. The
/// database must be migrated. Errors: unavailable.
Result<std::unique_ptr<WorkerStore>> open_worker_store(const std::string& url,
                                                       const WorkerSession& session = {});

}  // namespace weir::postgres
