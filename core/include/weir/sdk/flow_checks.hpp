#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <weir/sdk/flow_definition.hpp>
#include <weir/sdk/names.hpp>
#include <weir/sdk/refused.hpp>
#include <weir/sdk/shape.hpp>

namespace weir::sdk {

inline constexpr std::size_t steps_max = 1'024;

constexpr Fault check_names(const FlowView& flow) {
  if (!is_slug(flow.slug)) return {refused::bad_slug, flow.slug};
  if (!is_module_name(flow.module)) return {refused::bad_module_name, flow.slug, flow.module};
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const std::string_view slug = flow.steps[i].slug;
    if (!is_slug(slug)) return {refused::bad_slug, slug};
    for (const Step& other : flow.steps.first(i))
      if (same_word(slug, other.slug)) return {refused::duplicate_step, slug, other.slug};
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
  for (const Step& step : flow.steps) {
    const std::span<const Dependency> dependencies = flow.of(step);
    for (std::size_t i = 0; i < dependencies.size(); ++i) {
      const std::string_view name = dependencies[i].slug;
      if (name == step.slug) return {refused::self_dependency, step.slug, name};
      if (dependencies[i].position == Dependency::unknown)
        return {refused::unknown_dependency, step.slug, name};
      for (const Dependency& other : dependencies.first(i))
        if (name == other.slug) return {refused::duplicate_dependency, step.slug, name};
    }
    if (step.kind == Kind::map && dependencies.size() > 1)
      return {refused::map_dependencies, step.slug, dependencies[1].slug};
  }
  return {};
}

/// Takes away, again and again, what waits for nothing that is left; a cycle stays.
constexpr Fault check_acyclic(const FlowView& flow) {
  std::array<std::size_t, steps_max> waits_for{};
  std::array<std::size_t, steps_max> taken{};
  std::size_t taken_count = 0;
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    waits_for[i] = flow.steps[i].count;
    if (waits_for[i] == 0) taken[taken_count++] = i;
  }
  for (std::size_t next = 0; next < taken_count; ++next)
    for (std::size_t i = 0; i < flow.steps.size(); ++i)
      for (const Dependency& dependency : flow.of(flow.steps[i]))
        if (dependency.position == taken[next] && --waits_for[i] == 0) taken[taken_count++] = i;
  if (taken_count == flow.steps.size()) return {};

  // Whoever still waits waits for another such: going from one to the next for long enough ends on
  // a cycle.
  const auto awaited = [&](std::size_t i) {
    for (const Dependency& dependency : flow.of(flow.steps[i]))
      if (waits_for[dependency.position] != 0) return dependency.position;
    return i;
  };
  std::size_t on_cycle = static_cast<std::size_t>(
      std::ranges::find_if(waits_for, [](std::size_t count) { return count != 0; }) -
      waits_for.begin());
  for (std::size_t i = 0; i < flow.steps.size(); ++i) on_cycle = awaited(on_cycle);
  return {refused::cycle, flow.steps[on_cycle].slug, flow.steps[awaited(on_cycle)].slug};
}

/// What a map's elements are against what its handler takes.
constexpr Fault check_elements(const Step& step, std::string_view source, const Shape& result) {
  using enum Shape::Kind;
  if (result.kind != any && result.kind != list && result.kind != tuple)
    return {refused::map_over_no_array, step.slug, source};
  if (step.code.input == nullptr || result.kind == any) return {};
  const Shape taken{.kind = list, .element = step.code.input};
  return fits(result, taken) ? Fault()
                             : Fault{refused::result_does_not_fit_input, step.slug, source};
}

/// What the dependency `source` returns against what `step` has for it.
constexpr Fault check_member(const Step& step, std::string_view source, const Shape& result) {
  using enum Shape::Kind;
  if (step.code.input == nullptr || step.code.input->kind == any) return {};
  const Shape& input = *step.code.input;
  if (input.kind != object && input.kind != dictionary)
    return {refused::input_is_no_object, step.slug, source};
  const ShapeMember* member = find(input.members, source);
  const Shape* taken = input.kind == dictionary ? input.element : member ? member->shape : nullptr;
  return taken == nullptr || fits(result, *taken)
             ? Fault()
             : Fault{refused::result_does_not_fit_input, step.slug, source};
}

/// Whether something fills every member a step after others asks for.
constexpr Fault check_filled(const Step& step, std::span<const Dependency> dependencies) {
  if (step.kind == Kind::map || step.code.input == nullptr || dependencies.empty()) return {};
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
