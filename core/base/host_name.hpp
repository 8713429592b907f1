#pragma once
#include <string>

namespace weir {

/// What this machine calls itself; "unknown" if it doesn't.
std::string host_name();

}  // namespace weir
