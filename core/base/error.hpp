#pragma once
#include <vector>

#include <weir/result.hpp>

namespace weir {

/// Several faults found in one pass; never empty when it is the error of an expected.
using Faults = std::vector<Error>;

}  // namespace weir
