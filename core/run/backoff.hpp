#pragma once
#include <chrono>
#include <cstdint>

#include "base/time.hpp"
#include "definition/flow_definition.hpp"
#include "run/journal_row.hpp"

namespace weir {

/// How long a task waits after its `charged`th charged attempt failed (F2): base_delay × 2^charged,
/// plus up to 10 % that depends on the run, the task and the count alone, and never over max_delay.
/// Never overflows: any `charged` ≥ 1 will do.
Duration backoff(const StepOptions& options, std::int64_t run, TaskId task, int charged) noexcept;

}  // namespace weir
