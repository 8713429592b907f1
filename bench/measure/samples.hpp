#pragma once
#include <vector>

namespace weir::bench {

/// The smallest value that at least `part` (0 to 1) of all do not exceed; 0 where there are none.
double quantile(std::vector<double> values, double part);

/// The upper one of an even number.
double median(std::vector<double> values);

}  // namespace weir::bench
