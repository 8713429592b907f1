#pragma once
#include "config/config.hpp"
#include "store/pruning.hpp"

namespace weir {

/// What a configuration says of old runs.
Retention retention_of(const Config& config);

}  // namespace weir
