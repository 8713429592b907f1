#pragma once
#include <filesystem>
#include <vector>

#include "bench/engine/work.hpp"

namespace weir::bench {

/// Medians of all rounds as a table of 80 columns, on stdout.
void print_table(const std::vector<Work>& works);

/// Medians and every round as JSON.
void write_json(const std::filesystem::path& file, const std::vector<Work>& works);

}  // namespace weir::bench
