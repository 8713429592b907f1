#pragma once
#include <expected>
#include <vector>

#include "plugin/plugin_host.hpp"

namespace weir {

/// Loads plugins as libraries of this process: the default. Opening one runs its constructors here,
/// so it should have been scanned.  [any thread; loading is serialised]
class InProcessHost final : public PluginHost {
 public:
  /// Checks the descriptor before anything of it is used (checked_descriptor). Errors: those of
  /// Library::load and of checked_descriptor; stage `stage`, with path and sha256.
  std::expected<std::vector<FlowModule>, PluginError> open(const PluginInspection& plugin,
                                                           const StagedCopy& staged) override;
};

}  // namespace weir
