#pragma once
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "store/maintenance_store.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// What a child of `weir serve` uses a session of its own for.
struct StoreUse {
  bool listens = true;  ///< whether it is notified of runs that may be claimed
};

/// Opens a session that connects with its first call: nothing waits for the database on the thread
/// that opens it. Errors: unavailable.  [any thread]
using StoreOpener = std::function<Result<std::unique_ptr<WorkerStore>>(StoreUse)>;

/// The same, for a session that is notified when schedules change. Errors: unavailable.  [any thread]
using MaintenanceOpener = std::function<Result<std::unique_ptr<MaintenanceStore>>()>;

}  // namespace weir
