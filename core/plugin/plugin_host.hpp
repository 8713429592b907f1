#pragma once
#include <expected>
#include <vector>

#include "plugin/inspection.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/staged_copy.hpp"
#include "registry/flow_module.hpp"

namespace weir {

/// Where a plugin's code runs: in this process (InProcessHost), or in processes of its own.
class PluginHost {
 public:
  virtual ~PluginHost() = default;

  /// Opens a plugin that was verified: its flows, with their code, in the manifest's order. Holds
  /// `staged`, its private copy, until the last of the modules is destroyed; then the code is
  /// released.  [any thread]
  ///
  /// Errors: those of stage `stage`, with path and sha256.
  virtual std::expected<std::vector<FlowModule>, PluginError> open(const PluginInspection& plugin,
                                                                   const StagedCopy& staged) = 0;

  /// Whether the code runs in processes of its own.
  virtual bool isolated() const noexcept { return false; }
};

}  // namespace weir
