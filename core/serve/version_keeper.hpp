#pragma once
#include <chrono>
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "plugin/plugin_board.hpp"
#include "plugin/quarantine.hpp"
#include "registry/flow_registry.hpp"
#include "serve/store_opener.hpp"
#include "step/step_resources.hpp"
#include "worker/flow_workers.hpp"

namespace weir {

/// What the keeper maintains beside the registry. Each may be null.
struct KeptPlugins {
  std::shared_ptr<PluginBoard> board = {};
  std::shared_ptr<StepResources> resources = {};
  std::shared_ptr<const Quarantine> quarantine = {};  ///< reported for live plugins of the board
  std::shared_ptr<FlowWorkers> flow_workers = {};     ///< null: those of the process
};

struct KeeperIntervals {
  std::chrono::milliseconds check{500};  ///< between two checks of this process
  /// Between two queries to the database: at least this, and at most 20 times as long when queries
  /// take long.
  std::chrono::milliseconds query{2'000};
  /// Between two reports of the board to the database; changes are reported immediately.
  std::chrono::milliseconds report{60'000};
};

/// The child that retires old code (V2): it queries the database for former versions of the
/// registry that have no open run any more, and retires those that had none in two checks. Workers
/// are notified. When the last of a plugin's flows has left the registry and no handle to it is
/// left, the resources that its steps shared are ended: then nothing holds its library. While deferred
/// calls hold it, it logs how many are pending.
///
/// It logs what VersionNews says of the flows in the registry and of all that have open runs, a moment
/// after the registry has changed and once in each interval of reports. It also reports the board to
/// the database (weir.plugins), and when it stops, that this process ends. A database that is away is
/// logged (RetryLog), and is no failure. `registry` must outlive it.
ChildSpec version_keeper(FlowRegistry& registry, StoreOpener open, KeptPlugins plugins,
                         std::shared_ptr<Log> log, KeeperIntervals intervals = {});

}  // namespace weir
