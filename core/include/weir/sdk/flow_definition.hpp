#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

#include <weir/sdk/names.hpp>
#include <weir/step.hpp>

namespace weir::sdk {

struct Step {
  std::string_view slug;
  Kind kind = Kind::single;
  OptionValues options{};
  Code code{};
  StepSettings settings{};
  std::size_t first = 0, count = 0;  ///< its dependencies: their range in Flow::dependencies

  constexpr std::string_view signal() const {
    return settings.signal.empty() ? slug : settings.signal;
  }
  constexpr std::string_view child() const {
    return settings.child.empty() ? slug : settings.child;
  }

  /// Whether its dependents may run without its result; a cascade skips them too.
  constexpr bool can_be_absent() const {
    return (settings.is_conditional() &&
            settings.when_unmet.value_or(Fallback::skip) == Fallback::skip) ||
           settings.when_exhausted == Fallback::skip;
  }
};

struct Dependency {
  static constexpr std::size_t unknown = static_cast<std::size_t>(-1);

  std::string_view slug;
  std::size_t position = unknown;  ///< of that step in Flow::steps
};

/// A view of a Flow of any size.
struct FlowView {
  std::string_view slug, module;
  const OptionValues& options;
  std::span<const Step> steps;
  std::span<const std::size_t> by_name;  ///< positions of the steps, ordered by compare_words
  std::span<const Dependency> dependencies;

  constexpr std::span<const Dependency> of(const Step& step) const {
    return dependencies.subspan(step.first, step.count);
  }
};

/// A flow as it was written; check_flow decides whether it is valid.
template <std::size_t step_count, std::size_t dependency_count>
struct Flow {
  std::string_view slug, module;
  OptionValues options;
  std::array<Step, step_count> steps{};
  std::array<std::size_t, step_count> by_name{};
  std::array<Dependency, dependency_count> dependencies{};

  constexpr FlowView view() const { return {slug, module, options, steps, by_name, dependencies}; }
};

constexpr std::size_t sum(std::initializer_list<std::size_t> counts) {
  std::size_t total = 0;
  for (const std::size_t count : counts) total += count;
  return total;
}

/// Makes a flow from its parts. (No fold expressions: clang limits them to 256 operands.)
template <Kind... kinds, std::size_t... counts>
constexpr auto define_flow(std::string_view slug, std::string_view module,
                           const FlowOptions& options, const StepDraft<kinds, counts>&... drafts) {
  Flow<sizeof...(drafts), sum({counts...})> flow{
      slug,
      module,
      options.values,
      {Step{drafts.slug, kinds, drafts.values, drafts.code, drafts.settings, 0, counts}...}};
  const auto slug_at = [&](std::size_t position) { return flow.steps[position].slug; };
  for (std::size_t i = 0; i < flow.steps.size(); ++i) flow.by_name[i] = i;
  std::ranges::sort(flow.by_name, [&](std::size_t a, std::size_t b) {
    const int order = compare_words(slug_at(a), slug_at(b));
    return order != 0 ? order < 0 : a < b;
  });

  const std::array<std::span<const std::string_view>, sizeof...(drafts)> names{
      drafts.depends_on...};
  std::size_t next = 0;
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    flow.steps[i].first = next;
    for (const std::string_view name : names[i]) {
      const auto found = std::ranges::partition_point(flow.by_name, [&](std::size_t position) {
        return compare_words(slug_at(position), name) < 0;
      });
      const bool is_known = found != flow.by_name.end() && slug_at(*found) == name;
      flow.dependencies[next++] = {name, is_known ? *found : Dependency::unknown};
    }
  }
  return flow;
}
template <Kind... kinds, std::size_t... counts>
constexpr auto define_flow(std::string_view slug, std::string_view module,
                           const StepDraft<kinds, counts>&... drafts) {
  return define_flow(slug, module, FlowOptions(), drafts...);
}

}  // namespace weir::sdk
