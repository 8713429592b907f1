#pragma once
#include "definition/fault_list.hpp"
#include "definition/flow_draft.hpp"
#include "definition/step_graph.hpp"

namespace weir {

/// Every fault of a draft (D1 to D5), each once: a fault hides no other and causes no second one.
/// `graph` is the graph of `draft`.
FaultList faults_of(const FlowDraft& draft, const StepGraph& graph);

}  // namespace weir
