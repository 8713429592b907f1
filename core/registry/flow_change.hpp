#pragma once
#include <cstdint>

namespace weir {

/// The effect of one change to a registry.
enum class FlowChange : std::uint8_t {
  added,      ///< the module was not registered
  replaced,   ///< both keys find the new one now; a slug that it gave up finds nothing
  succeeded,  ///< as replaced, but the previous one stays under its slug and fingerprint
  unchanged,  ///< the same definition from the same file was registered; or nothing to remove was
  removed,    ///< it is not found under any of its keys any more
};

}  // namespace weir
