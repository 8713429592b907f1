#pragma once
#include <memory>
#include <string>
#include <vector>

#include <weir/abi/plugin.h>

#include "definition/flow_definition.hpp"

namespace weir {

/// The file a flow came from: every error that names a holder shows it, every attempt records its
/// sha256.
struct PluginFile {
  std::string path = {};    ///< as found in the plugin folder; "" for flows built into a program
  std::string sha256 = {};  ///< 64 hex digits; "" likewise
  friend bool operator==(const PluginFile&, const PluginFile&) = default;
};

/// A flow with its code: what a registry holds and workers run. Immutable once registered.
struct FlowModule {
  FlowDefinition definition;
  std::vector<const weir_step*>
      steps;  ///< by position in definition.steps(); the code behind them is `code`'s
  PluginFile file = {};
  std::shared_ptr<const void> code =
      {};  ///< keeps the library mapped; null for flows built into a program
};

}  // namespace weir
