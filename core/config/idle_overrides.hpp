#pragma once
#include <string>
#include <vector>

#include "base/source_text.hpp"
#include "config/config.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

/// A setting in flows.yaml that has no effect.
struct IdleOverride {
  TextSpan where;    ///< in Config::source
  std::string what;  ///< `flow "order" has no step "prise"; did you mean "price"?`
};

/// The flows that exist, each once.
using KnownFlows = std::vector<const FlowDefinition*>;

/// The settings of a configuration for flows and steps that do not exist, and for options that do
/// not apply to a step's kind.
std::vector<IdleOverride> idle_overrides(const Config& config, const KnownFlows& flows);

}  // namespace weir
