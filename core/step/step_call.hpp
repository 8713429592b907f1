#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "run/run_state.hpp"
#include "step/attempt.hpp"
#include "step/step_resources.hpp"

namespace weir {

class FlightRecorder;

/// Receives the lines that handlers log.  [any thread]
class StepLines {
 public:
  virtual ~StepLines() = default;
  virtual void line(const Attempt& attempt, LogLevel level, std::string_view utf8) = 0;

  /// The handler was given this text, which settles its attempt with that output (C9).
  virtual void settlement(const Attempt&, std::string_view /*sql*/, std::string_view /*output*/) {}
};

/// What the calls of a worker have in common; calls that are deferred keep it.
struct StepHost {
  std::shared_ptr<StepResources> resources;
  std::shared_ptr<StepLines> lines;
  /// Called once for each attempt of which call_step() returned nullopt, when its call was completed,
  /// with `result` and `ended` set; also when it was over by then. On a thread of the plugin; must be
  /// quick. `held` is what the call had acquired: it is to be released on another thread, as its
  /// destructors may wait for this one. Empty: calls cannot be deferred.
  using Held = std::vector<std::shared_ptr<const void>>;
  std::function<void(std::shared_ptr<Attempt>, Held held)> completed = {};
  std::size_t deferred_max = 0;
  std::shared_ptr<FlightRecorder> recorder = {};  ///< null: nothing is recorded
  /// How many calls are deferred and not completed, also of attempts that are over (relaxed: only a
  /// limit).
  mutable std::atomic<std::size_t> deferred = 0;
};

/// Runs the attempt's handler, which its step must have, on this thread, through the C ABI, and
/// returns the result. No exception of a handler passes this seam. What the handler returns is
/// checked against F3: exactly one output, valid UTF-8 JSON, no larger than max_output; otherwise
/// the attempt failed for good. What the handler acquires from resources is held until it has
/// returned, or completed its deferred call. nullopt: the call is deferred (weir/abi/async.h).
std::optional<AttemptResult> call_step(const std::shared_ptr<Attempt>& attempt,
                                       const std::shared_ptr<const StepHost>& by);

/// The attempt of a deferred call is over: from now on what completes the call is told that it comes
/// too late. The call and the plugin's code stay until it was completed. False: it was completed in
/// time, or is not deferred.
bool end_deferred(const Attempt& attempt);

/// For a caller that waits for each call: none can be deferred.
AttemptResult call_step(Attempt& attempt, StepResources& resources, StepLines& lines);

/// The same; the lines are written to `log`, prefixed with run, flow and step.
AttemptResult call_step(Attempt& attempt, StepResources& resources, Log& log);

/// Writes the lines to `log` in that way.
std::shared_ptr<StepLines> lines_to(std::shared_ptr<Log> log);

}  // namespace weir
