#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "definition/flow_definition.hpp"
#include "run/run_state.hpp"

namespace weir {

struct VirtualAttempt {
  JournalRow row;  ///< its times count from Time{}, the start of the run
  Json input;
  Duration waited{};  ///< since the end of the attempt before; of the first one: its start delay
};

/// The result of an attempt, and how long it took.
struct VirtualResult {
  AttemptResult result;
  Duration took{};
};

/// A signal for a wait (C4), sent at `after`, counted from the start of the run.
struct VirtualSignal {
  Json payload;
  Duration after{};
};

/// Gives a run, in memory, what it does not decide itself.
struct VirtualEnvironment {
  /// The result of an attempt of a step with code, or of a flow step's child run. Called once for
  /// each attempt, in the order in which they begin, with the run's time.
  std::function<VirtualResult(const RunState&, const ReadyTask&, Duration now)> execute;

  /// The signal that a wait step was or will be sent; nullptr: none is known yet.
  std::function<const VirtualSignal*(std::size_t step)> signal = [](std::size_t) {
    return nullptr;
  };
};

struct VirtualEnd {
  RunEnd end;
  std::vector<VirtualAttempt> attempts;  ///< in the order they began; includes ended waits
  std::vector<JournalRow> skips;         ///< in the order they were found
  Duration elapsed{};
};

/// Runs a flow from start to end with RunState, in virtual time. Each attempt begins as soon as it
/// may, as if there were slots for all; it takes its timeout if it timed out, else the time that
/// `execute` returns. A wait ends with its signal, or when its time is over. Attempts that still
/// run when the run fails are cancelled (F6).
VirtualEnd run_virtually(const FlowDefinition& definition, std::vector<StepOptions> options,
                         const Json& input, const VirtualEnvironment& environment);

}  // namespace weir
