#pragma once
#include <functional>
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

struct VirtualEnd {
  RunEnd end;
  std::vector<VirtualAttempt> attempts;  ///< in the order they began
  Duration elapsed{};
};

/// Leads a run from its start to its end by RunState, in virtual time: each attempt begins the
/// moment it may, as if there were slots for all, takes its timeout when it timed out, else
/// nothing. What still runs when the run fails is cancelled (F6). `execute` gives the result of an
/// attempt; it is called for one after the other, in the order they begin.
VirtualEnd run_virtually(
    const FlowDefinition& definition, std::vector<StepOptions> options, const Json& input,
    const std::function<AttemptResult(const RunState&, const ReadyTask&)>& execute);

}  // namespace weir
