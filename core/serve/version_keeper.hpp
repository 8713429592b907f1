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

/// What the keeper has an eye on. All but the registry is optional.
struct KeptPlugins {
  std::shared_ptr<PluginBoard> board = {};
  std::shared_ptr<StepResources> resources = {};
  std::shared_ptr<const Quarantine> quarantine = {};  ///< shown for what is live on the board
  std::shared_ptr<FlowWorkers> flow_workers = {};     ///< null: those of the process
};

struct KeeperPace {
  std::chrono::milliseconds look{500};   ///< between two looks at what is in the process
  std::chrono::milliseconds ask{2'000};  ///< between two questions to the database, at least; 20
                                         ///< times as long where they take long
  std::chrono::milliseconds tell{
      60'000};  ///< what the board says is told that often, and at changes
};

/// The child that lets old code go (V2): it asks the database which former versions of the registry
/// have no open run any more, and retires those that had none at two looks. Workers are told. When
/// the last of a plugin's flows is gone from the registry, and from whoever held it, the resources
/// its steps shared are ended: then nothing holds its library.
///
/// It also tells the database what stands on the board (weir.plugins), and that it is over when it
/// stops. A database that is away is told once, and is no failure. `registry` must outlive it.
ChildSpec version_keeper(FlowRegistry& registry, StoreOpener open, KeptPlugins plugins,
                         std::shared_ptr<Log> log, KeeperPace pace = {});

}  // namespace weir
