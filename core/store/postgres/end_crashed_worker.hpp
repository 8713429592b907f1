#pragma once
#include <string>

#include "store/crashed_worker.hpp"

namespace weir::postgres {

/// Ends a worker that crashed: charges the attempt that `crashed` blames, and frees its runs except
/// those of suspects, in one transaction. False when the worker had ended before, or is another process's; then nothing
/// is done. Uses a session of its own. Errors: unavailable; the call can be repeated safely.
Result<bool> end_crashed_worker(const std::string& url, const CrashedWorker& crashed);

}  // namespace weir::postgres
