#pragma once
#include <cstdint>

namespace weir {

/// What became of one change to a registry.
enum class FlowChange : std::uint8_t {
  added,      ///< the module was not there
  replaced,   ///< both keys lead to the new one now; a slug it no longer has leads nowhere
  succeeded,  ///< likewise, and the one before stays under its slug and fingerprint
  unchanged,  ///< the same definition from the same file was there; or nothing to remove was
  removed,    ///< it is gone under all its keys
};

}  // namespace weir
