#pragma once
#include <string>

#include "store/burial.hpp"

namespace weir::postgres {

/// Ends a worker that crashed: charges the attempts that the burial blames, and frees its runs, in
/// one transaction. False when the worker had ended before; then nothing is done. Uses a session of
/// its own. Errors: unavailable; the call can be repeated safely.
Result<bool> bury(const std::string& url, const Burial& burial);

}  // namespace weir::postgres
