#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "definition/flow_draft.hpp"

namespace weir {

/// The dependencies between the steps of a draft. Steps are numbered by slug, bytewise, so that
/// nothing here depends on the order they were written in. A dependency on an unknown step, or of a
/// step on itself, is ignored: reporting those is not the graph's task.
class StepGraph {
 public:
  explicit StepGraph(const FlowDraft& draft);

  struct Step {
    const FlowDraft::Step* draft;
    std::vector<std::size_t> depends_on;  ///< one entry for each mention in the draft
    std::vector<std::size_t> dependents;  ///< one entry for each mention; ascending
  };
  const std::vector<Step>& steps() const noexcept { return steps_; }

  /// The step of exactly that slug, nullptr when there is none; of duplicates the first.
  const FlowDraft::Step* find(std::string_view slug) const noexcept;

  /// Every step once, dependencies first, ties by slug. Without the steps on a cycle and those that
  /// depend on them.
  std::vector<std::size_t> order() const;

  /// Cycles in the order their steps would run, each beginning with its first slug, no two sharing
  /// a dependency: so each needs a fix of its own. Finds at least one if there is any; at most
  /// `count_max`. Cost: (steps + cycles) × dependencies.
  std::vector<std::vector<std::size_t>> cycles(std::size_t count_max) const;

 private:
  std::vector<Step> steps_;
};

}  // namespace weir
