#pragma once
#include <string>
#include <vector>

#include "store/crashed_worker.hpp"

namespace weir::postgres {

/// Ends a worker that crashed: charges the attempt that `crashed` blames, and frees its runs except
/// those of suspects, in one transaction. False when the worker had ended before, or is another process's; then nothing
/// is done. Uses a session of its own. Errors: unavailable; the call can be repeated safely.
Result<bool> end_crashed_worker(const std::string& url, const CrashedWorker& crashed);

/// Frees what these crashed workers keep for a trial, because nobody will hold it (F10). As above.
Result<void> give_up_trial(const std::string& url, const std::vector<WorkerId>& crashed);

}  // namespace weir::postgres
