#pragma once
#include <cstdint>

namespace weir {

// The ids of the database: valid in this database alone, and never used twice.
using RunKey = std::int64_t;  ///< of a run; users know it by its UUID
using WorkerId = std::int64_t;
using VersionId = std::int32_t;  ///< a version of a flow
using PluginId = std::int32_t;
using ShareId = std::int64_t;

}  // namespace weir
