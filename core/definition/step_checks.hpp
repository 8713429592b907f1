#pragma once
#include <string>

#include "definition/fault_list.hpp"
#include "definition/flow_draft.hpp"
#include "definition/step_graph.hpp"

namespace weir {

/// Faults of one step's kind: an unknown one; a signal, a child flow or an option that means
/// nothing to it or is missing. `where` names the step and its flow.
void check_kind(const FlowDraft::Step& step, const std::string& where, FaultList& faults);

/// Faults of its conditions and fallbacks: unknown words, and patterns that nothing the step is
/// held against could ever contain (F7).
void check_conditions(const FlowDraft::Step& step, const StepGraph& graph, const std::string& where,
                      FaultList& faults);

}  // namespace weir
