#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <weir/abi/plugin.h>

#include "base/json.hpp"
#include "base/time.hpp"
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

  /// Whether the attempt may be settled with an output (C9); empty: it cannot be settled.
  std::function<bool(const Json& output)> settles = {};
};

/// Calls steps as a worker does (call_step), but on the caller's thread, one at a time, without a
/// worker or a database. A timeout cancels the stop token, and the attempt counts as timed out when
/// the handler has returned.
///
/// Waits that the handler lets pass (weir/abi/virtual_time.h) take no time. They reach the timeout by
/// themselves, as does the real time that the handler takes, but not both together: how long its code
/// took on this machine decides nothing else.  [one thread at a time]
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

  /// Settles the attempt that is being called with the output that it was given this text for: as if
  /// a transaction with it had been committed. False when it cannot be: the attempt has ended, its
  /// timeout has passed, or it is settled already.  [any thread]
  bool commit(std::string_view sql);

  /// The virtual time that the attempt being called has let pass; 0 between calls.  [any thread]
  Duration passed() const;

  /// The virtual time that the last attempt called took.
  Duration took() const noexcept { return took_; }

  /// Whether the last attempt called has the outcome that was committed, and not another.
  bool settled() const noexcept { return settled_; }

 private:
  /// What the attempt that is being called can be settled with.
  struct Settlements {
    const Attempt* attempt = nullptr;
    std::function<bool(const Json&)> allowed = {};
    std::map<std::string, std::string, std::less<>> outputs = {};  // by their text
    std::optional<Json> committed = {};
  };

  void line(const Attempt& attempt, LogLevel level, std::string_view utf8) override;
  void settlement(const Attempt& attempt, std::string_view sql, std::string_view output) override;

  bool pass(Attempt& attempt, std::chrono::nanoseconds duration);

  FlowHandle flow_;
  Log log_;
  RunKey calls_ = 0;
  bool settled_ = false;
  Duration took_{};
  std::mutex log_mutex_;          // around log_
  std::mutex settlements_mutex_;  // guards settlements_
  Settlements settlements_;
  mutable std::mutex passed_mutex_;  // guards passed_
  std::chrono::nanoseconds passed_{};
  StepResources resources_;
};

}  // namespace weir
