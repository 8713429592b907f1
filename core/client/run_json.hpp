#pragma once
#include <string>
#include <vector>

#include "base/json.hpp"
#include "store/run_store.hpp"

namespace weir {

/// A run as `weir runs show --json` prints it and HTTP answers it:
/// {"run_id","flow","version","status","input","output","error","started_at","ended_at","steps":[{"slug",
/// "kind","status","attempts","output","error","skip_reason"}]}; times are ISO 8601 in UTC.
Json run_json(const RunReport& report);

/// As run_json, without input, output and steps.
Json run_json(const RunSummary& summary);

}  // namespace weir
