#pragma once
#include <string>
#include <vector>

namespace weir::bench {

/// Lines that say where and with what it was measured, each at most 80 columns.
std::vector<std::string> machine(const std::string& elixir);

}  // namespace weir::bench
