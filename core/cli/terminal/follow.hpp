#pragma once
#include <expected>
#include <string>

#include "cli/terminal/console.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// Waits for the end of a run, and shows on stderr its progress and whether there is no worker for
/// it. An error has been reported.
std::expected<RunReport, ExitCode> follow(RunStore& store, const std::string& id, Console& console);

}  // namespace weir::cli
