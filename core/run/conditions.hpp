#pragma once
#include <optional>
#include <string>

#include "base/json.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

/// Whether `value` contains `pattern`, exactly as PostgreSQL's `value::jsonb @> pattern::jsonb`:
/// an object contains one whose every member it has, an array one whose every element it has
/// somewhere, numbers are compared by value however they are written. At the top an array may also
/// contain a single string, number, boolean or null; nowhere else does one kind contain another.
/// Cost: one pass over `value` for each level of `pattern`, and for arrays one comparison for each
/// pair of elements.
bool contains(const Json& value, const Json& pattern);

/// Lays a step's conditions over what they are asked of (F7): the run's input for a root, else the
/// object of its completed dependencies. nullopt when both hold; else the one that does not, to
/// stand behind "the run's input" or the like: `does not contain {"vip":true}`.
std::optional<std::string> unmet(const StepConditions& conditions, const Json& given);

}  // namespace weir
