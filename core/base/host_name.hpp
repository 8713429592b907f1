#pragma once
#include <string>

namespace weir {

/// The host name of this machine; "unknown" if it has none.
std::string host_name();

}  // namespace weir
