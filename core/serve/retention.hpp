#pragma once
#include "config/config.hpp"
#include "store/pruning.hpp"

namespace weir {

/// The retention of finished runs, from a configuration.
Retention retention_of(const Config& config);

}  // namespace weir
