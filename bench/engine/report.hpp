#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "bench/engine/work.hpp"

namespace weir::bench {

/// Medians of all rounds as a table of 80 columns, on stdout, and lines about the machine.
void print_table(const std::vector<Work>& works, const std::vector<std::string>& machine);

/// Medians and every round as JSON, behind the lines about the machine.
void write_json(const std::filesystem::path& file, const std::vector<Work>& works,
                const std::vector<std::string>& machine);

}  // namespace weir::bench
