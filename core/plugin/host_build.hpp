#pragma once
#include <string>

namespace weir {

/// Identifies the build of this program: its build-id and the version of its ABI.  [any thread]
const std::string& host_build();

}  // namespace weir
