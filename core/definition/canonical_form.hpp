#pragma once
#include <vector>

#include "base/json.hpp"
#include "base/slug.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

/// What a definition is fingerprinted over (D6); see FlowDefinition::canonical. Changing a byte of
/// it gives every flow a new version: conditions, fallbacks and the like stand in it only
/// where they are not the usual ones.
Json canonical_form(const Slug& flow, const std::vector<StepDefinition>& steps);

}  // namespace weir
