#pragma once
#include <vector>

#include "base/json.hpp"
#include "base/slug.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

/// The text that a definition's fingerprint is computed from (D6); see FlowDefinition::canonical.
/// A change to a byte of this form gives every flow a new version, so conditions, fallbacks, signal
/// and child flow are part of it only where they differ from the default.
Json canonical_form(const Slug& flow, const std::vector<StepDefinition>& steps);

}  // namespace weir
