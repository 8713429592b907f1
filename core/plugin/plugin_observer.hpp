#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "plugin/plugin_error.hpp"
#include "registry/flow_module.hpp"

namespace weir {

/// Told of what becomes of plugins while a host runs, in the order in which it happens, on the
/// thread that watches. Each may be missing. Must not throw, nor call the watcher.
struct PluginObserver {
  using OfFlow = std::function<void(const PluginFile& file, std::string_view slug)>;

  OfFlow live = {};       ///< a flow that was not there can be run
  OfFlow took_over = {};  ///< new runs of a flow begin with this file's version
  OfFlow removed = {};    ///< a flow can be run no more: its file went, or has it no longer
  /// Once for each state of a file, or of a plugin folder.
  std::function<void(const PluginError& error)> refused = {};
  std::function<void(const PluginFile& file)> unloaded = {};  ///< nothing of it is left
  std::function<void(const PluginError& error)> pinned = {};  ///< unload_pinned
  /// Folders are looked at from time to time alone, because nothing tells of changes: why.
  std::function<void(const std::string& why)> rescans_alone = {};
  /// The registry was changed: after the callbacks above, once for what was published together.
  std::function<void()> flows_changed = {};
};

}  // namespace weir
