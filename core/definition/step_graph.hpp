#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "definition/flow_draft.hpp"

namespace weir {

/// Who waits for whom in a draft. Steps are numbered by slug, bytewise, so that nothing here
/// depends on the order they were written in. A dependency that leads nowhere or to itself is
/// passed over: reporting those is not the graph's task.
class StepGraph {
 public:
  explicit StepGraph(const FlowDraft& draft);

  struct Step {
    const FlowDraft::Step* draft;
    std::vector<std::size_t> depends_on;  ///< as often as the draft says it
    std::vector<std::size_t> dependents;  ///< likewise; ascending
  };
  const std::vector<Step>& steps() const noexcept { return steps_; }

  /// The step of exactly that slug, nullptr when there is none; of doubled ones the first.
  const FlowDraft::Step* find(std::string_view slug) const noexcept;

  /// Every step once, dependencies first, ties by slug. Steps on a cycle and those behind it are
  /// missing.
  std::vector<std::size_t> order() const;

  /// Cycles in the order their steps would run, each beginning with its first slug, no two sharing
  /// a dependency: so each needs a mend of its own. Finds one if there is one. At most `count_max`.
  /// Cost: (steps + cycles) × dependencies.
  std::vector<std::vector<std::size_t>> cycles(std::size_t count_max) const;

 private:
  std::vector<Step> steps_;
};

}  // namespace weir
