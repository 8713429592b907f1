#pragma once
#include "base/json.hpp"

namespace weir {

/// The same value as text that does not depend on how it was written: keys sorted bytewise, of
/// duplicate keys the last one, no white space, escapes only where JSON requires them. Numbers keep
/// their spelling. Cost: length × depth.
Json sorted(const Json& value);

}  // namespace weir
