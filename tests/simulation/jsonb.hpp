#pragma once
#include "base/json.hpp"

namespace weir::simulation {

// The value as PostgreSQL's jsonb gives it back: keys by length and then bytes, the last of doubled
// ones, one blank after each comma and colon.
Json as_jsonb(const Json& value);

}  // namespace weir::simulation
