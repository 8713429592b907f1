#pragma once
#include <cstdint>

namespace weir {

// The numbers by which the database knows things: of this database alone, and never used twice.
using RunKey = std::int64_t;  ///< a run's; its UUID stands at the edge
using WorkerId = std::int64_t;
using VersionId = std::int32_t;  ///< a version of a flow
using PluginId = std::int32_t;
using ShareId = std::int64_t;

}  // namespace weir
