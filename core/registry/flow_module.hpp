#pragma once
#include <memory>
#include <string>
#include <vector>

#include <weir/abi/plugin.h>

#include "definition/flow_definition.hpp"

namespace weir {

/// The file a flow came from: every error that names a holder shows it, and every attempt records
/// its sha256.
struct PluginFile {
  std::string path = {};    ///< as found in the plugin folder; "" for flows built into a program
  std::string sha256 = {};  ///< 64 hex digits; "" for flows built into a program
  friend bool operator==(const PluginFile&, const PluginFile&) = default;
};

/// A flow with its code: what a registry holds and workers run. Immutable once registered.
struct FlowModule {
  FlowDefinition definition;
  /// By position in definition.steps(); `code` owns the code behind them.
  std::vector<const weir_step*> steps;
  PluginFile file = {};
  /// Keeps the library mapped; null for flows built into a program.
  std::shared_ptr<const void> code = {};
};

}  // namespace weir
