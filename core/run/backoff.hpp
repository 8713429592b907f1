#pragma once
#include <chrono>
#include <cstdint>

#include "base/time.hpp"
#include "definition/flow_definition.hpp"
#include "run/journal_row.hpp"

namespace weir {

/// The delay before the next attempt of a task, after `charged` attempts of it were charged and
/// failed (F2): base_delay × 2^charged, plus a spread of up to 10 % that depends on the run, the
/// task and the count alone, and never over max_delay. Does not overflow for any `charged` ≥ 1.
Duration backoff(const StepOptions& options, std::int64_t run, TaskId task, int charged) noexcept;

}  // namespace weir
