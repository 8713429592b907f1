#pragma once
#include <string>
#include <vector>

#include "base/source_text.hpp"
#include "config/config.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

/// Something that flows.yaml says to no effect.
struct IdleOverride {
  TextSpan where;    ///< in Config::source
  std::string what;  ///< `flow "order" has no step "prise"; did you mean "price"?`
};

/// The flows there are, each once.
using KnownFlows = std::vector<const FlowDefinition*>;

/// What a configuration says of flows and steps that are not there, and of options that mean
/// nothing to a step's kind.
std::vector<IdleOverride> idle_overrides(const Config& config, const KnownFlows& flows);

}  // namespace weir
