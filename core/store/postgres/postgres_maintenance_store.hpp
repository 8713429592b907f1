#pragma once
#include <memory>
#include <string>

#include "store/maintenance_store.hpp"

namespace weir::postgres {

/// A session with PostgreSQL; connects again by itself, the first time with its first call. Listens
/// for changes of schedules if it is to. Errors: unavailable.
Result<std::unique_ptr<MaintenanceStore>> open_maintenance_store(const std::string& url,
                                                                 bool listens);

}  // namespace weir::postgres
