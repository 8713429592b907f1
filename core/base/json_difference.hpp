#pragma once
#include <optional>
#include <string>

#include "base/json.hpp"

namespace weir {

/// The first place where two values differ.
struct JsonDifference {
  std::string pointer;  ///< JSON pointer; "" is the whole value
  std::string before;   ///< JSON there, shortened; "" where there is nothing
  std::string after;
};

/// nullopt when both are the same value: the order of keys and white space do not count, and 1 and
/// 1.0 are the same number. In an object a missing member is reported before a differing one.
/// Cost: both are parsed.
std::optional<JsonDifference> first_difference(const Json& before, const Json& after);

}  // namespace weir
