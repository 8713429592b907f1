#pragma once
#include <string>

#include "definition/fault_list.hpp"
#include "definition/flow_draft.hpp"
#include "definition/step_graph.hpp"

namespace weir {

/// Adds the faults of a step's kind: an unknown kind; a signal, a child flow or an option that does
/// not apply to the kind; a bad signal; a child flow that is missing or bad. `where` names the step
/// and its flow.
void check_kind(const FlowDraft::Step& step, const std::string& where, FaultList& faults);

/// Adds the faults of a step's conditions and fallbacks: unknown fallbacks, when_unmet without a
/// condition, and patterns that can never be met (F7).
void check_conditions(const FlowDraft::Step& step, const StepGraph& graph, const std::string& where,
                      FaultList& faults);

}  // namespace weir
