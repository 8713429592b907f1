#pragma once
#include <span>
#include <string>

#include "base/time.hpp"
#include "cli/terminal/terminal.hpp"
#include "store/run_store.hpp"

namespace weir::cli {

/// A table, a run a line. On a terminal it says how long ago a run began, in a pipe when.
std::string runs_text(std::span<const RunSummary> runs, Time now, const Terminal& terminal);

/// A run with its values and a line for each step.
std::string run_text(const RunReport& report, const Terminal& terminal);

/// One step in a line, without newline: its mark, slug (padded to `slug_width`), what is done of
/// it, error.
std::string step_text(const StepReport& step, std::size_t slug_width, const Terminal& terminal);

/// The tone of a status of a run or a step.
Tone tone(std::string_view status) noexcept;

}  // namespace weir::cli
