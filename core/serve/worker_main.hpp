#pragma once
#include "serve/process_setup.hpp"

namespace weir {

/// The whole life of the process of `weir serve` in which plugins run: registry, loader, workers.
/// It takes its orders from WorkerProcess, and ends when those say so or when its parent is gone.
/// Gives the exit status, of which the parent was told.
int run_worker_process(const ProcessSetup& setup);

}  // namespace weir
