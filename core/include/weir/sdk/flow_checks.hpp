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

// The functions below take names as arguments, although they would not need to: compilers print the
// arguments of every constexpr call on the way to an error.

constexpr void check_different(std::string_view step, std::string_view other) {
  if (same_word(step, other)) refused::duplicate_step();
}

constexpr std::size_t position_of(std::string_view step, std::string_view dependency,
                                  std::span<const Step> steps) {
  if (step == dependency) refused::self_dependency();
  const auto found = std::ranges::find(steps, dependency, &Step::slug);
  if (found == steps.end()) refused::unknown_dependency();
  return static_cast<std::size_t>(found - steps.begin());
}

constexpr void check_dependencies(std::string_view step, Kind kind,
                                  std::span<const Dependency> dependencies) {
  (void)step;
  if (kind == Kind::map && dependencies.size() > 1) refused::map_dependencies();
  for (std::size_t i = 0; i < dependencies.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (dependencies[i].position == dependencies[j].position) refused::duplicate_dependency();
}

/// Takes away, again and again, the steps that wait for nothing that is left.
template <std::size_t step_count, std::size_t dependency_count>
constexpr void check_acyclic(const Flow<step_count, dependency_count>& flow) {
  std::array<std::size_t, step_count> waits_for{};
  std::array<std::size_t, step_count> free_steps{};
  std::size_t freed = 0;
  for (std::size_t i = 0; i < step_count; ++i) {
    waits_for[i] = flow.steps[i].count;
    if (waits_for[i] == 0) free_steps[freed++] = i;
  }
  for (std::size_t next = 0; next < freed; ++next)
    for (std::size_t i = 0; i < step_count; ++i)
      for (const Dependency& dependency : flow.view().of(flow.steps[i]))
        if (dependency.position == free_steps[next] && --waits_for[i] == 0) free_steps[freed++] = i;
  if (freed < step_count) refused::cycle();
}

constexpr void check_fits(std::string_view dependency, std::string_view dependent,
                          const Shape& result, const Shape& input) {
  (void)dependency, (void)dependent;
  if (!fits(result, input)) refused::result_does_not_fit_input();
}

constexpr void check_map_input(const Step& dependency, const Step& step, const Shape& result) {
  using enum Shape::Kind;
  if (result.kind != any && result.kind != list && result.kind != tuple)
    refused::map_over_no_array();
  if (step.code.input == nullptr) return;
  if (result.kind == list)
    check_fits(dependency.slug, step.slug, *result.element, *step.code.input);
  for (const ShapeMember& member : result.members)
    check_fits(dependency.slug, step.slug, *member.shape, *step.code.input);
}

constexpr void check_filled(std::string_view step, const ShapeMember& member, std::string_view name,
                            std::span<const Dependency> dependencies) {
  (void)step;
  if (member.shape->kind != Shape::Kind::optional &&
      std::ranges::find(dependencies, name, &Dependency::slug) == dependencies.end())
    refused::input_member_is_no_dependency();
}

/// What `dependency` returns against what `step` has for it.
constexpr void check_single_input(const Step& dependency, const Step& step, const Shape& result) {
  using enum Shape::Kind;
  if (step.code.input == nullptr) return;
  const Shape& input =
      step.code.input->kind == optional ? *step.code.input->element : *step.code.input;
  if (input.kind == dictionary)
    return check_fits(dependency.slug, step.slug, result, *input.element);
  if (input.kind != any && input.kind != object) refused::dependent_takes_no_object();
  if (const ShapeMember* member = find(input.members, dependency.slug))
    check_fits(dependency.slug, step.slug, result, *member->shape);
}

/// What steps return against what their dependents take.
constexpr void check_types(const FlowView& flow) {
  for (const Step& step : flow.steps) {
    const std::span<const Dependency> dependencies = flow.of(step);
    for (const Dependency& each : dependencies) {
      const Step& dependency = flow.steps[each.position];
      const Shape array{.kind = Shape::Kind::list, .element = dependency.code.result};
      const Shape& result = dependency.kind == Kind::map ? array : *dependency.code.result;
      if (step.kind == Kind::map)
        check_map_input(dependency, step, result);
      else
        check_single_input(dependency, step, result);
    }
    if (step.kind == Kind::single && step.code.input != nullptr && !dependencies.empty())
      for (const ShapeMember& member : step.code.input->members)
        check_filled(step.slug, member, member.name, dependencies);
  }
}

/// A flow from its parts, checked whole (D5): what WEIR_FLOW calls.
template <Kind... kinds, std::size_t... counts>
consteval auto define_flow(std::string_view slug, std::string_view module,
                           const FlowOptions& options, const StepDraft<kinds, counts>&... drafts) {
  if (sizeof...(drafts) == 0) refused::no_steps();
  if (sizeof...(drafts) > steps_max) refused::too_many_steps();
  check_slug(slug);
  check_module_name(module);

  Flow<sizeof...(drafts), (std::size_t{0} + ... + counts)> flow{slug, module, options.values};
  std::size_t steps = 0;
  std::size_t dependencies = 0;
  const auto add = [&](const auto& draft) {
    for (std::size_t i = 0; i < steps; ++i) check_different(draft.slug, flow.steps[i].slug);
    flow.steps[steps++] = {draft.slug, draft.kind,   draft.values,
                           draft.code, dependencies, draft.depends_on.size()};
    for (const std::string_view name : draft.depends_on)
      flow.dependencies[dependencies++].slug = name;
  };
  (add(drafts), ...);
  for (const Step& step : flow.steps) {
    for (std::size_t i = step.first; i < step.first + step.count; ++i)
      flow.dependencies[i].position = position_of(step.slug, flow.dependencies[i].slug, flow.steps);
    check_dependencies(step.slug, step.kind, flow.view().of(step));
  }
  check_acyclic(flow);
  check_types(flow.view());
  return flow;
}
template <Kind... kinds, std::size_t... counts>
consteval auto define_flow(std::string_view slug, std::string_view module,
                           const StepDraft<kinds, counts>&... drafts) {
  return define_flow(slug, module, FlowOptions(), drafts...);
}

}  // namespace weir::sdk
