#pragma once
#include <span>
#include <string>
#include <vector>

#include "definition/flow_definition.hpp"

namespace weir {

/// One difference in a step or a flow.
struct DefinitionChange {
  std::string what;    ///< "kind", "only_if", "timeout_ms", …; of a flow "module", "input_schema"
  std::string before;  ///< as written in a manifest
  std::string after;
};

/// How one step differs.
struct StepDiff {
  enum class Status { added, removed, changed };

  std::string step;
  Status status = Status::changed;
  std::vector<DefinitionChange> changes;  ///< of a changed step
};

/// How one flow differs between two builds of its plugin.
struct FlowDiff {
  enum class Status { added, removed, changed, same };

  std::string flow;
  Status status = Status::same;
  std::vector<DefinitionChange> changes;  ///< of the flow itself
  std::vector<StepDiff> steps;  ///< only those that differ; in the order of their definitions
  bool same_version = true;     ///< the same fingerprint: runs are not affected (D7)
  bool compatible = true;       ///< the steps differ in options only: adopt can move runs (V3)
};

/// "added", "removed", "changed"
std::string_view name(StepDiff::Status status) noexcept;
/// "added", "removed", "changed", "same"
std::string_view name(FlowDiff::Status status) noexcept;

/// Compares the flows of two builds, matched by slug; in the order of `before`, the added flows
/// last. A removed flow is not compatible, as nothing could continue its runs. Cost: each step of a
/// flow is searched for by name among the steps of the other.
std::vector<FlowDiff> diff(std::span<const FlowDefinition> before,
                           std::span<const FlowDefinition> after);

}  // namespace weir
