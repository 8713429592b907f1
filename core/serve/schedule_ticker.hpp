#pragma once
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "serve/store_opener.hpp"

namespace weir {

/// The child that starts what schedules are due (C5): it sleeps until the next one is, and looks at
/// once when schedules change. One for the process; any number of processes may have one, each tick
/// is one run. A database that is away is told once, and is no failure.
ChildSpec schedule_ticker(MaintenanceOpener open, std::shared_ptr<Log> log);

}  // namespace weir
