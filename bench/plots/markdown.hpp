#pragma once
#include <string>

#include "bench/plots/measured.hpp"

namespace weir::bench {

/// Tables of all works and of all cases that were measured, one for each group, with the machine
/// below. Of a work, "ratio" is Weir's figure by that of each other side.
std::string markdown(const Results& results);

}  // namespace weir::bench
