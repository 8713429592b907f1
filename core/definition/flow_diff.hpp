#pragma once
#include <span>
#include <string>
#include <vector>

#include "definition/flow_definition.hpp"

namespace weir {

/// One thing of a step or a flow that is not as it was.
struct DefinitionChange {
  std::string what;    ///< "kind", "only_if", "timeout_ms", …; of a flow "module", "input_schema"
  std::string before;  ///< as a manifest writes it
  std::string after;
};

/// What became of one step.
struct StepDiff {
  enum class Fate { added, removed, changed };

  std::string step;
  Fate fate = Fate::changed;
  std::vector<DefinitionChange> changes;  ///< of a changed one
};

/// What became of one flow between two builds of its plugin.
struct FlowDiff {
  enum class Fate { added, removed, changed, same };

  std::string flow;
  Fate fate = Fate::same;
  std::vector<DefinitionChange> changes;  ///< of the flow itself
  std::vector<StepDiff> steps;  ///< only those that differ; in the order of their definitions
  bool same_version = true;     ///< the same fingerprint: runs do not notice (D7)
  bool compatible = true;       ///< all but options is the same: adopt can move runs (V3)
};

/// "added", "removed", "changed"
std::string_view name(StepDiff::Fate fate) noexcept;
/// likewise, and "same"
std::string_view name(FlowDiff::Fate fate) noexcept;

/// Compares flows by slug, which two builds share; in the order of the old ones, then added ones. A
/// removed flow is not compatible: nothing could go on with its runs. Cost: steps × their names.
std::vector<FlowDiff> diff(std::span<const FlowDefinition> before,
                           std::span<const FlowDefinition> after);

}  // namespace weir
