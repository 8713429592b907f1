#pragma once
#include <string>

namespace weir {

/// Tells builds of this program apart: its build-id, and the ABI it speaks.  [any thread]
const std::string& host_build();

}  // namespace weir
