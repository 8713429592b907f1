#pragma once
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "serve/store_opener.hpp"
#include "store/pruning.hpp"

namespace weir {

/// The child that does the upkeep of a database: it adds the journal's next partitions, applies
/// changed limits, and deletes runs that are older than `retention` says (C7), batch by batch. The
/// process needs only one; of all processes, one at a time prunes. A database that is away is
/// logged (RetryLog), and is not a failure.
ChildSpec retention_keeper(Retention retention, MaintenanceOpener open, std::shared_ptr<Log> log);

}  // namespace weir
