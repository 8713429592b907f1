#pragma once
#include <span>
#include <string>

#include "base/json.hpp"
#include "base/time.hpp"
#include "cli/terminal/terminal.hpp"
#include "store/schedule.hpp"

namespace weir::cli {

/// A table with one line per schedule; times are relative to `now`.
std::string schedules_text(std::span<const ScheduleReport> schedules, Time now,
                           const Terminal& terminal);

/// The members of weir.schedules.
Json schedule_json(const ScheduleReport& schedule);

/// "in 5m07s".
std::string shown_wait(Duration wait);

}  // namespace weir::cli
