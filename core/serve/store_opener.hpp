#pragma once
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "store/maintenance_store.hpp"
#include "store/worker_store.hpp"

namespace weir {

/// How children of `weir serve` come by a session of their own.
struct StoreUse {
  bool connects_now = true;  ///< else with its first call
  bool listens = true;       ///< whether it is told of runs that may be claimed
};

/// Errors: unavailable.  [any thread]
using StoreOpener = std::function<Result<std::unique_ptr<WorkerStore>>(StoreUse)>;

/// A session that is told when schedules change. Errors: unavailable.  [any thread]
using MaintenanceOpener = std::function<Result<std::unique_ptr<MaintenanceStore>>()>;

}  // namespace weir
