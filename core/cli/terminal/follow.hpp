#pragma once
#include <expected>
#include <string>

#include "cli/terminal/console.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// Waits for the end of a run and shows on stderr how it goes on, and when no worker is there to
/// take it. What fails was told.
std::expected<RunReport, ExitCode> follow(RunStore& store, const std::string& id, Console& console);

}  // namespace weir::cli
