#pragma once
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "plugin/plugin_observer.hpp"
#include "plugin/plugin_watcher.hpp"
#include "worker/flow_workers.hpp"

namespace weir {

/// Logs what happens to plugins, and makes the workers read the registry when it has changed.
/// `workers` may be null: those of the process.
PluginObserver plugin_log(std::shared_ptr<Log> log, std::shared_ptr<FlowWorkers> workers = nullptr);

/// The child that watches the plugin folders. Its start returns when the plugins in them are
/// published, so that workers that are started after it find flows.
ChildSpec plugin_watch(std::shared_ptr<PluginWatcher> watcher);

}  // namespace weir
