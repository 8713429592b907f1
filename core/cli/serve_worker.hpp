#pragma once
#include <string>
#include <vector>

namespace weir::cli {

/// The face `weir internal work`: the process of `weir serve` in which plugins run. Takes its
/// orders from WorkerProcess, ends when those say so or its parent is gone. Gives the exit status.
int run_serve_worker(const std::vector<std::string>& arguments);

}  // namespace weir::cli
