#pragma once
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "serve/store_opener.hpp"
#include "store/pruning.hpp"

namespace weir {

/// The child that keeps a database tidy: makes the journal's next partitions, does what changed
/// limits leave to do, and deletes runs that are older than `retention` says (C7), batch by batch.
/// One for the process; of all processes one at a time prunes. A database that is away is told
/// once, and is no failure.
ChildSpec retention_keeper(Retention retention, MaintenanceOpener open, std::shared_ptr<Log> log);

}  // namespace weir
