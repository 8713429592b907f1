#pragma once
#include <string>
#include <vector>

namespace weir::bench {

/// Lines that say where and with what it was measured, each at most 80 columns. `versions` are
/// those of what was measured beside the compiler's; may be empty.
std::vector<std::string> machine(const std::string& versions);

/// The same as a JSON object: {"machine": [lines]}.
std::string json_of_machine(const std::vector<std::string>& lines);

}  // namespace weir::bench
