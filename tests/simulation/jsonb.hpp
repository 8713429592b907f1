#pragma once
#include "base/json.hpp"

namespace weir::simulation {

// The value as PostgreSQL's jsonb returns it: keys ordered by length and then by bytes, the last of
// duplicate keys, one blank after each comma and colon.
Json as_jsonb(const Json& value);

}  // namespace weir::simulation
