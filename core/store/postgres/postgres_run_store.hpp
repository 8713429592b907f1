#pragma once
#include <memory>
#include <string>

#include "store/run_store.hpp"

namespace weir::postgres {

/// A client's session with PostgreSQL; it reconnects by itself. The database must be migrated.
/// Errors: unavailable.
Result<std::unique_ptr<RunStore>> open_run_store(const std::string& url);

}  // namespace weir::postgres
