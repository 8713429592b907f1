#pragma once
#include "serve/process_setup.hpp"

namespace weir {

/// The main function of the process of `weir serve` in which plugins run: registry, loader,
/// workers. It receives its orders from WorkerProcess, and ends when requested or when its parent
/// has ended. Returns the exit status, which it has also sent to the parent.
int run_worker_process(const ProcessSetup& setup);

}  // namespace weir
