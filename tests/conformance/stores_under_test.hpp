#pragma once
#include <memory>

#include "store/crashed_worker.hpp"
#include "store/run_store.hpp"
#include "store/worker_store.hpp"

namespace weir::testing {

/// What a store may leave out. A case that needs it begins with `if (!stores->can(…)) return;`.
enum class Capability {
  step_reports,    ///< RunReport::steps, RunStore::recorded
  plugin_reports,  ///< WorkerStore::report_plugins, RunStore::plugins
};

/// A store with nothing in it, gone with the object. Any number of sessions may use it at once.
class StoresUnderTest {
 public:
  virtual ~StoresUnderTest() = default;
  virtual std::unique_ptr<WorkerStore> worker_session() = 0;
  virtual std::unique_ptr<RunStore> client_session() = 0;
  /// What the parent of a worker's process does when that crashed.
  virtual bool end_crashed_worker(const CrashedWorker& crashed) = 0;
  virtual bool can(Capability) const noexcept { return true; }
};

/// The program that links the suite says of which kind.
std::unique_ptr<StoresUnderTest> fresh_stores();

}  // namespace weir::testing
