#pragma once
#include <span>
#include <string>

#include "base/time.hpp"
#include "cli/terminal/terminal.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// A table with one line per run. On a terminal it has the age of each run, in a pipe its start.
std::string runs_text(std::span<const RunSummary> runs, Time now, const Terminal& terminal);

/// A run with its values and a line for each step.
std::string run_text(const RunReport& report, const Terminal& terminal);

/// One step as a line, without newline: its mark, its slug (padded to `slug_width`), its progress
/// and its error.
std::string step_text(const StepReport& step, std::size_t slug_width, const Terminal& terminal);

/// The tone of a status of a run or a step.
Tone tone(std::string_view status) noexcept;

}  // namespace weir::cli
