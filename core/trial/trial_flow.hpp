#pragma once
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weir/abi/plugin.h>

#include "base/error.hpp"
#include "registry/flow_module.hpp"

namespace weir {

/// The flows of a plugin that this program is linked with, or of a file that was loaded.
struct TrialPlugin {
  /// Of a file: its end waits until the code is unloaded, if nothing else holds it, but for 10 s at
  /// most. The program may end next, and must not destroy static objects of code that is being unloaded.
  std::shared_ptr<const void> unloaded = {};
  std::vector<FlowModule> flows;           ///< in the manifest's order
  std::shared_ptr<const void> stage = {};  ///< of a file: holds the folder of the loaded copy
};

/// Reads a linked plugin. Errors: every fault of its manifest and definitions; invalid_definition,
/// kind bad_descriptor, when its descriptor and its manifest differ.
std::expected<TrialPlugin, Faults> linked_plugin(const weir_plugin& plugin);

/// Checks, copies and loads a plugin file into this process. Errors: those of PluginLoader,
/// converted by to_error().
Result<TrialPlugin> loaded_plugin(const std::filesystem::path& file);

/// The flow of that slug or module name, or the only one when `name` is empty. Errors: not_found
/// with the nearest; invalid_input, kind flow_not_named, when there are several.
Result<FlowModule> flow_of(const TrialPlugin& plugin, std::string_view name);

}  // namespace weir
