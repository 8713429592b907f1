#pragma once
#include <memory>
#include <string>

#include "store/worker_store.hpp"

namespace weir::postgres {

/// A worker's session with PostgreSQL; it connects again by itself after the connection broke. The
/// database must be migrated. Errors: unavailable.
Result<std::unique_ptr<WorkerStore>> open_worker_store(const std::string& url);

}  // namespace weir::postgres
