#pragma once
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "store/maintenance_store.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// How a child of `weir serve` opens a session of its own.
struct StoreUse {
  bool connects_now = true;  ///< false: with its first call
  bool listens = true;       ///< whether it is notified of runs that may be claimed
};

/// Errors: unavailable.  [any thread]
using StoreOpener = std::function<Result<std::unique_ptr<WorkerStore>>(StoreUse)>;

/// Opens a session that is notified when schedules change. Errors: unavailable.  [any thread]
using MaintenanceOpener = std::function<Result<std::unique_ptr<MaintenanceStore>>()>;

}  // namespace weir
