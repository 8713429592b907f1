#pragma once
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "serve/store_opener.hpp"

namespace weir {

/// The child that starts the runs of schedules that are due (C5): it sleeps until the next one is
/// due, and checks immediately when schedules change. The process needs only one; any number of
/// processes may have one, and still each tick starts one run. A database that is away is logged
/// (RetryLog), and is not a failure.
ChildSpec schedule_ticker(MaintenanceOpener open, std::shared_ptr<Log> log);

}  // namespace weir
