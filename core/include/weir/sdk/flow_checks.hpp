#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <weir/sdk/flow_definition.hpp>
#include <weir/sdk/names.hpp>
#include <weir/sdk/refused.hpp>
#include <weir/sdk/shape.hpp>

namespace weir::sdk {

inline constexpr std::size_t steps_max = 1'024;

constexpr Fault check_names(const FlowView& flow) {
  if (!is_slug(flow.slug)) return {refused::bad_slug, flow.slug};
  if (!is_module_name(flow.module)) return {refused::bad_module_name, flow.slug, flow.module};
  for (const Step& step : flow.steps)
    if (!is_slug(step.slug)) return {refused::bad_slug, step.slug};
  for (std::size_t i = 1; i < flow.by_name.size(); ++i) {
    const std::string_view first = flow.steps[flow.by_name[i - 1]].slug;
    const std::string_view second = flow.steps[flow.by_name[i]].slug;
    if (same_word(first, second)) return {refused::duplicate_step, second, first};
  }
  return {};
}

constexpr Fault check_options(const FlowView& flow) {
  if (const auto option = flow.options.out_of_range(); !option.empty())
    return {refused::option_out_of_range, flow.slug, option};
  for (const Step& step : flow.steps)
    if (const auto option = step.options.out_of_range(); !option.empty())
      return {refused::option_out_of_range, step.slug, option};
  return {};
}

constexpr Fault check_dependencies(const FlowView& flow) {
  std::array<std::size_t, steps_max> last_dependent{};  // counted from 1
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const Step& step = flow.steps[i];
    for (const Dependency& dependency : flow.of(step)) {
      if (dependency.slug == step.slug)
        return {refused::self_dependency, step.slug, dependency.slug};
      if (dependency.position == Dependency::unknown)
        return {refused::unknown_dependency, step.slug, dependency.slug};
      if (std::exchange(last_dependent[dependency.position], i + 1) == i + 1)
        return {refused::duplicate_dependency, step.slug, dependency.slug};
    }
    if (step.kind == Kind::map && step.count > 1)
      return {refused::map_dependencies, step.slug, flow.of(step)[1].slug};
  }
  return {};
}

/// Goes from step to dependency, depth first; one that is on the way already closes a cycle.
constexpr Fault check_acyclic(const FlowView& flow) {
  std::array<std::size_t, steps_max> way{};
  std::array<std::size_t, steps_max> tried{};  // dependencies of each step
  std::array<bool, steps_max> entered{};
  std::array<bool, steps_max> left{};
  for (std::size_t start = 0; start < flow.steps.size(); ++start) {
    if (entered[start]) continue;
    std::size_t length = 0;
    entered[way[length++] = start] = true;
    while (length != 0) {
      const std::size_t here = way[length - 1];
      const Step& step = flow.steps[here];
      if (tried[here] == step.count) {
        left[here] = true;
        --length;
        continue;
      }
      const Dependency& dependency = flow.of(step)[tried[here]++];
      if (entered[dependency.position] && !left[dependency.position])
        return {refused::cycle, step.slug, dependency.slug};
      if (!entered[dependency.position]) entered[way[length++] = dependency.position] = true;
    }
  }
  return {};
}

constexpr Fault check_fits(const Step& step, std::string_view source, const Shape& given,
                           const Shape& taken) {
  if (fits(given, taken)) return {};
  return {refused::result_does_not_fit_input, step.slug, source};
}

/// What a map's elements are against what its handler takes.
constexpr Fault check_elements(const Step& step, std::string_view source, const Shape& result) {
  using enum Shape::Kind;
  if (result.kind != any && result.kind != list && result.kind != tuple)
    return {refused::map_over_no_array, step.slug, source};
  return check_fits(step, source, result, {.kind = list, .element = step.code.input});
}

/// What the dependency `source` returns against what `step` has for it.
constexpr Fault check_member(const Step& step, std::string_view source, const Shape& result) {
  using enum Shape::Kind;
  const Shape& input = *step.code.input;
  if (input.kind == any) return {};
  if (input.kind == dictionary) return check_fits(step, source, result, *input.element);
  if (input.kind != object) return {refused::input_is_no_object, step.slug, source};
  const std::size_t member = position(input.members, source);
  if (member == input.members.size()) return {};
  return check_fits(step, source, result, *input.members[member].shape);
}

/// Whether something fills every member a step after others asks for.
constexpr Fault check_filled(const Step& step, std::span<const Dependency> dependencies) {
  if (step.kind == Kind::map || dependencies.empty()) return {};
  for (const ShapeMember& member : step.code.input->members)
    if (member.shape->kind != Shape::Kind::optional &&
        std::ranges::find(dependencies, member.name, &Dependency::slug) == dependencies.end())
      return {refused::input_member_is_no_dependency, step.slug, member.name};
  return {};
}

constexpr Fault check_types(const FlowView& flow) {
  for (const Step& step : flow.steps) {
    for (const Dependency& dependency : flow.of(step)) {
      const Step& source = flow.steps[dependency.position];
      const Shape all_results{.kind = Shape::Kind::list, .element = source.code.result};
      const Shape& result = source.kind == Kind::map ? all_results : *source.code.result;
      if (const Fault fault = step.kind == Kind::map ? check_elements(step, source.slug, result)
                                                     : check_member(step, source.slug, result))
        return fault;
    }
    if (const Fault fault = check_filled(step, flow.of(step))) return fault;
  }
  return {};
}

/// Everything D5 names, and the types that go from step to step.
constexpr Fault check_flow(const FlowView& flow) {
  if (flow.steps.empty()) return {refused::no_steps, flow.slug};
  if (flow.steps.size() > steps_max) return {refused::too_many_steps, flow.slug};
  for (const auto check :
       {check_names, check_options, check_dependencies, check_acyclic, check_types})
    if (const Fault fault = check(flow)) return fault;
  return {};
}

/// True, or the compilation ends with the name of what is wrong.
template <const auto& flow>
consteval bool accept_flow() {
  constexpr Fault fault = check_flow(flow.view());
  constexpr Word<fault.step.size() + 1> step(fault.step);
  constexpr Word<fault.about.size() + 1> about(fault.about);
  if constexpr (fault) refuse<fault.why, step, about>();
  return true;
}

}  // namespace weir::sdk
