#pragma once
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>

#include <weir/abi/plugin.h>

#include "base/json.hpp"
#include "definition/step_options.hpp"
#include "registry/flow_handle.hpp"
#include "run/run_state.hpp"
#include "step/step_call.hpp"
#include "step/step_resources.hpp"

namespace weir {

/// The arguments of one call of a step.
struct TrialCall {
  TaskId task;
  int number = 1;
  Json input;
  Json flow_input;
  StepOptions options;
  const weir_step* instead = nullptr;  ///< if set, called in place of the step
  bool stopped = false;                ///< its timeout has passed before it begins
};

/// Calls steps as a worker does (call_step), but on the caller's thread, one at a time, without a
/// worker or a database. A timeout cancels the stop token, and the attempt counts as timed out when
/// the handler has returned.  [one thread at a time]
class StepTrial : private StepLines {
 public:
  /// Receives the lines that a handler logs: "info" and the text. Called on the handler's threads,
  /// one call at a time.
  using Log = std::function<void(std::string_view level, std::string_view message)>;

  explicit StepTrial(FlowHandle flow, Log log = {})
      : flow_(std::move(flow)), log_(std::move(log)) {}
  StepTrial(const StepTrial&) = delete;
  StepTrial& operator=(const StepTrial&) = delete;
  ~StepTrial() override;

  AttemptResult call(TrialCall call);

 private:
  void line(const Attempt& attempt, LogLevel level, std::string_view utf8) override;

  FlowHandle flow_;
  Log log_;
  std::mutex mutex_;  // around log_
  StepResources resources_;
};

}  // namespace weir
