#pragma once
#include <string>
#include <vector>

#include "base/json.hpp"
#include "store/run_store.hpp"

namespace weir {

/// A run as `weir runs show --json` prints it: an object with the members of RunReport, among them
/// "steps", an array of objects. Times are ISO 8601 in UTC; what does not exist is null.
Json run_json(const RunReport& report);

/// As run_json, without input, output and steps.
Json run_json(const RunSummary& summary);

}  // namespace weir
