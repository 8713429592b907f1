#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weir/abi/plugin.h>

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

  /// What a plugin did with a call that is gone, which the text names.
  virtual void warning(std::string_view /*text*/) {}
};

/// What the calls of a worker have in common; calls that are deferred keep it.
struct StepHost {
  std::shared_ptr<StepResources> resources;
  std::shared_ptr<StepLines> lines;
  /// Called once for each attempt of which call_step() returned nullopt, when its call was completed,
  /// with `result` and `ended` set; also when it was over by then. On a thread of the plugin; must be
  /// quick. Empty: calls cannot be deferred.
  std::function<void(std::shared_ptr<Attempt>)> completed = {};
  /// Called before that with what a deferred call had acquired, if it had, whatever call_step()
  /// returned: it is to be destroyed on another thread, as its destructors may wait for this one. Set
  /// where `completed` is; must be quick, too.
  using Held = std::vector<std::shared_ptr<const void>>;
  std::function<void(Held)> release = {};
  std::size_t deferred_max = 0;
  std::shared_ptr<FlightRecorder> recorder = {};  ///< null: nothing is recorded
  /// Lets that much of the attempt's virtual time pass (weir/abi/virtual_time.h); false: the work
  /// should stop. On any thread of the handler. Empty: time is real.
  using PassTime = std::function<bool(std::chrono::nanoseconds)>;
  PassTime pass_time = {};
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

/// How many calls are deferred and not completed in this process, by the sha256 of the plugin whose
/// code they keep loaded. Cost: a pass over all of them.
std::map<std::string, std::size_t> pending_by_plugin();

/// Completes a deferred call for a host of plugins whose process ended for another reason than this
/// call: `given_back` of its attempt is set, so that the task is due again and nothing is charged.
void give_back(weir_call* deferred);

/// For a caller that waits for each call: none can be deferred.
AttemptResult call_step(Attempt& attempt, StepResources& resources, StepLines& lines,
                        StepHost::PassTime pass_time = {});

/// The same; the lines are written to `log`, prefixed with run, flow and step.
AttemptResult call_step(Attempt& attempt, StepResources& resources, Log& log);

/// Writes the lines to `log` in that way.
std::shared_ptr<StepLines> lines_to(std::shared_ptr<Log> log);

}  // namespace weir
