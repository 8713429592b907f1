#pragma once
#include "base/json.hpp"

namespace weir {

/// The same value as text that does not depend on how it was written: keys sorted bytewise, of
/// doubled ones the last, no white space, escapes only where JSON demands them. Numbers stay as
/// they are spelled. Cost: length × depth.
Json sorted(const Json& value);

}  // namespace weir
