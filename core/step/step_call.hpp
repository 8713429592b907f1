#pragma once
#include <string_view>

#include "base/log.hpp"
#include "run/run_state.hpp"
#include "step/attempt.hpp"
#include "step/step_resources.hpp"

namespace weir {

/// Receives the lines that handlers log.  [any thread]
class StepLines {
 public:
  virtual ~StepLines() = default;
  virtual void line(const Attempt& attempt, LogLevel level, std::string_view utf8) = 0;

  /// The handler was given this text, which settles its attempt with that output (C9).
  virtual void settlement(const Attempt&, std::string_view /*sql*/, std::string_view /*output*/) {}
};

/// Runs the attempt's handler, which its step must have, on this thread, through the C ABI, and
/// returns the result. No exception of a handler passes this seam. What the handler returns is
/// checked against F3: exactly one output, valid UTF-8 JSON, no larger than max_output; otherwise
/// the attempt failed for good. What the handler acquires from `resources` is held until it has
/// returned.
AttemptResult call_step(Attempt& attempt, StepResources& resources, StepLines& lines);

/// The same; the lines are written to `log`, prefixed with run, flow and step.
AttemptResult call_step(Attempt& attempt, StepResources& resources, Log& log);

}  // namespace weir
