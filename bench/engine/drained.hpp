#pragma once
#include <cstddef>
#include <string>

#include "bench/engine/empty_flow.hpp"
#include "bench/engine/figures.hpp"

namespace weir::bench {

/// Runs of a flow are all started before its workers begin; until the last one has ended.
Figures drained(const std::string& url, EmptyFlow& flow, std::size_t runs, std::size_t workers = 1);

/// Runs of a flow with one step are started in batches of 1,000; per_s and so on are of runs.
Figures started(const std::string& url, std::size_t runs);

}  // namespace weir::bench
