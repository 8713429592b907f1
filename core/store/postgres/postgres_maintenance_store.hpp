#pragma once
#include <memory>
#include <string>

#include "store/maintenance_store.hpp"

namespace weir::postgres {

/// A session with PostgreSQL, which connects with its first call and reconnects by itself. With
/// `listens` it is notified of changes of schedules. Errors: unavailable.
Result<std::unique_ptr<MaintenanceStore>> open_maintenance_store(const std::string& url,
                                                                 bool listens);

}  // namespace weir::postgres
