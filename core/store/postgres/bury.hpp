#pragma once
#include <string>

#include "store/burial.hpp"

namespace weir::postgres {

/// Ends a worker that crashed: charges whom the burial blames and frees its runs, in one
/// transaction. False when it had ended before: nothing is done then. In a session of its own.
/// Errors: unavailable: try again, harmlessly.
Result<bool> bury(const std::string& url, const Burial& burial);

}  // namespace weir::postgres
