#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "plugin/plugin_error.hpp"
#include "registry/flow_module.hpp"

namespace weir {

/// Callbacks for what happens to plugins while a host runs, in the order in which it happens, on
/// the watcher's thread. Each is optional. They must not throw, nor call the watcher.
struct PluginObserver {
  using OfFlow = std::function<void(const PluginFile& file, std::string_view slug)>;

  OfFlow live = {};       ///< a new flow can be run
  OfFlow took_over = {};  ///< new runs of a flow begin with this file's version
  OfFlow removed = {};    ///< a flow can no longer be run: its file is gone, or no longer has it
  /// Called once for each state of a file, or of a plugin folder.
  std::function<void(const PluginError& error)> refused = {};
  std::function<void(const PluginFile& file)> unloaded = {};  ///< its code is gone
  std::function<void(const PluginError& error)> pinned = {};  ///< unload_pinned
  /// Folders are only scanned at intervals, because there are no events for changes: why not.
  std::function<void(const std::string& why)> no_file_events = {};
  /// The registry was changed: after the callbacks above, once for what was published together.
  std::function<void()> flows_changed = {};
};

}  // namespace weir
