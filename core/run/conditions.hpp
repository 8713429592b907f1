#pragma once
#include <optional>
#include <string>

#include "base/json.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

/// Whether `value` contains `pattern`, exactly as PostgreSQL's `value::jsonb @> pattern::jsonb`: an
/// object contains another if it has each of its members, an array if it has each of its elements
/// somewhere; numbers are compared by value however they are written. At the top an array may also
/// contain a single string, number, boolean or null; else a value contains only its own kind.
/// Cost: one pass over `value` for each level of `pattern`, and for arrays one comparison for each
/// pair of elements.
bool contains(const Json& value, const Json& pattern);

/// Checks a step's conditions against what they are about (F7): the run's input for a root, else
/// the object of its completed dependencies. nullopt when both hold; else the one that does not,
/// worded to follow "the run's input" or the like: `does not contain {"vip":true}`.
std::optional<std::string> unmet(const StepConditions& conditions, const Json& given);

}  // namespace weir
