#pragma once
#include <string_view>

#include "base/log.hpp"
#include "run/run_state.hpp"
#include "step/attempt.hpp"
#include "step/step_resources.hpp"

namespace weir {

/// Takes the lines that handlers log.  [any thread]
class StepLines {
 public:
  virtual ~StepLines() = default;
  virtual void line(const Attempt& attempt, LogLevel level, std::string_view utf8) = 0;
};

/// Runs the attempt's handler on this thread, through the C ABI, and says what came of it. Nothing
/// a handler throws gets past this seam. What it returns is held against F3: exactly one output,
/// valid UTF-8 JSON, no larger than max_output, else it failed for good. What it acquires of
/// `resources` it holds until it returned.
AttemptResult call_step(Attempt& attempt, StepResources& resources, StepLines& lines);

/// The same with lines that stand in the log under run, flow and step.
AttemptResult call_step(Attempt& attempt, StepResources& resources, Log& log);

}  // namespace weir
