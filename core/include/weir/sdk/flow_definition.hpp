#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <weir/step.hpp>

namespace weir::sdk {

struct Step {
  std::string_view slug;
  Kind kind = Kind::single;
  OptionValues options{};
  Code code{};
  std::size_t first = 0, count = 0;  ///< its dependencies: where they stand in Flow::dependencies
};

struct Dependency {
  static constexpr std::size_t unknown = static_cast<std::size_t>(-1);

  std::string_view slug;
  std::size_t position = unknown;  ///< of that step in Flow::steps
};

/// A flow whatever its size: a view of Flow.
struct FlowView {
  std::string_view slug, module;
  const OptionValues& options;
  std::span<const Step> steps;
  std::span<const Dependency> dependencies;

  constexpr std::span<const Dependency> of(const Step& step) const {
    return dependencies.subspan(step.first, step.count);
  }
};

/// A flow as it was written down; check_flow says whether it is one.
template <std::size_t step_count, std::size_t dependency_count>
struct Flow {
  std::string_view slug, module;
  OptionValues options;
  std::array<Step, step_count> steps{};
  std::array<Dependency, dependency_count> dependencies{};

  constexpr FlowView view() const { return {slug, module, options, steps, dependencies}; }
};

/// A flow from its parts.
template <Kind... kinds, std::size_t... counts>
constexpr auto define_flow(std::string_view slug, std::string_view module,
                           const FlowOptions& options, const StepDraft<kinds, counts>&... drafts) {
  Flow<sizeof...(drafts), (std::size_t{0} + ... + counts)> flow{slug, module, options.values};
  std::size_t steps = 0;
  std::size_t dependencies = 0;
  [[maybe_unused]] const auto add = [&](const auto& draft) {
    flow.steps[steps++] = {draft.slug, draft.kind,   draft.values,
                           draft.code, dependencies, draft.depends_on.size()};
    for (const std::string_view name : draft.depends_on)
      flow.dependencies[dependencies++].slug = name;
  };
  (add(drafts), ...);
  for (Dependency& dependency : flow.dependencies) {
    const auto found = std::ranges::find(flow.steps, dependency.slug, &Step::slug);
    if (found != flow.steps.end())
      dependency.position = static_cast<std::size_t>(found - flow.steps.begin());
  }
  return flow;
}
template <Kind... kinds, std::size_t... counts>
constexpr auto define_flow(std::string_view slug, std::string_view module,
                           const StepDraft<kinds, counts>&... drafts) {
  return define_flow(slug, module, FlowOptions(), drafts...);
}

}  // namespace weir::sdk
