#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "definition/flow_definition.hpp"
#include "run/run_state.hpp"

namespace weir {

struct VirtualAttempt {
  JournalRow row;  ///< dated from Time{}, when the run began
  Json input;
  Duration waited{};  ///< since the attempt before it ended; of a first one: its start delay
};

/// What became of an attempt, and how long it took.
struct VirtualResult {
  AttemptResult result;
  Duration took{};
};

/// A signal for a wait (C4), sent so long after the run began.
struct VirtualSignal {
  Json payload;
  Duration after{};
};

/// What a run cannot do by itself, in memory.
struct VirtualWorld {
  /// The result of an attempt of a step with code, or of a flow step's child run. Called for one
  /// after the other, in the order they begin, with the run's time.
  std::function<VirtualResult(const RunState&, const ReadyTask&, Duration now)> execute;

  /// The signal a wait step was sent, or will be; nullptr: none is known of by now.
  std::function<const VirtualSignal*(std::size_t step)> signal = [](std::size_t) {
    return nullptr;
  };
};

struct VirtualEnd {
  RunEnd end;
  std::vector<VirtualAttempt> attempts;  ///< in the order they began, ended waits among them
  std::vector<JournalRow> skips;         ///< in the order they were found
  Duration elapsed{};
};

/// Leads a run from its start to its end by RunState, in virtual time: each attempt begins the
/// moment it may, as if there were slots for all, and takes its timeout when it timed out, else
/// what `execute` says. A wait ends with its signal, or when its time is over. What still runs when
/// the run fails is cancelled (F6).
VirtualEnd run_virtually(const FlowDefinition& definition, std::vector<StepOptions> options,
                         const Json& input, const VirtualWorld& world);

}  // namespace weir
