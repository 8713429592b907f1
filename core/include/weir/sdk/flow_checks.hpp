#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <weir/sdk/flow_definition.hpp>
#include <weir/sdk/json_text.hpp>
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

constexpr Fault check_waits(const FlowView& flow) {
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const Step& step = flow.steps[i];
    if (step.kind != Kind::wait) continue;
    if (!is_module_name(step.signal()) || step.signal().size() > 128)
      return {refused::bad_signal, step.slug, step.signal()};
    for (const Step& other : flow.steps.first(i))
      if (other.kind == Kind::wait && same_word(other.signal(), step.signal()))
        return {refused::duplicate_signal, step.slug, other.slug};
  }
  return {};
}

constexpr Fault check_children(const FlowView& flow) {
  for (const Step& step : flow.steps) {
    if (step.kind != Kind::flow) continue;
    if (!is_slug(step.child())) return {refused::bad_slug, step.child()};
    if (same_word(step.child(), flow.slug) && !step.settings.is_conditional())
      return {refused::endless_flow, step.slug, step.child()};
  }
  return {};
}

constexpr std::string_view misplaced_option(const Step& step) {
  if (step.settings.when_unmet && !step.settings.is_conditional()) return "when_unmet";
  if (step.kind == Kind::flow) return step.options.other_than({Option::start_delay});
  if (step.kind != Kind::wait) return {};
  if (step.settings.when_exhausted) return "when_exhausted";
  return step.options.other_than({Option::start_delay, Option::timeout});
}

constexpr Fault check_options(const FlowView& flow) {
  if (const auto option = flow.options.out_of_range(); !option.empty())
    return {refused::option_out_of_range, flow.slug, option};
  for (const Step& step : flow.steps)
    if (const auto option = step.options.out_of_range(); !option.empty())
      return {refused::option_out_of_range, step.slug, option};
  for (const Step& step : flow.steps)
    if (const auto option = misplaced_option(step); !option.empty())
      return {refused::misplaced_option, step.slug, option};
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
    if (step.kind == Kind::flow && step.count > 1)
      return {refused::flow_dependencies, step.slug, flow.of(step)[1].slug};
  }
  return {};
}

/// A depth-first search from step to dependency; one that is on the path already closes a cycle.
constexpr Fault check_acyclic(const FlowView& flow) {
  std::array<std::size_t, steps_max> path{};
  std::array<std::size_t, steps_max> tried{};  // dependencies of each step
  std::array<bool, steps_max> entered{};
  std::array<bool, steps_max> left{};
  for (std::size_t start = 0; start < flow.steps.size(); ++start) {
    if (entered[start]) continue;
    std::size_t length = 0;
    entered[path[length++] = start] = true;
    while (length != 0) {
      const std::size_t here = path[length - 1];
      const Step& step = flow.steps[here];
      if (tried[here] == step.count) {
        left[here] = true;
        --length;
        continue;
      }
      const Dependency& dependency = flow.of(step)[tried[here]++];
      if (entered[dependency.position] && !left[dependency.position])
        return {refused::cycle, step.slug, dependency.slug};
      if (!entered[dependency.position]) entered[path[length++] = dependency.position] = true;
    }
  }
  return {};
}

/// Keys with escapes are checked when the plugin is loaded.
constexpr bool is_escaped(std::string_view key) { return key.find('\\') != std::string_view::npos; }

/// Checks a pattern for the output of a wait.
constexpr Fault check_wait_pattern(const Step& step, std::string_view pattern) {
  if (json_begin(pattern) != '{') return {refused::condition_never_met, step.slug, pattern};
  Fault fault;
  each_json_member(pattern, [&](std::string_view key, std::string_view value) {
    const bool known = key == "payload" || (key == "signalled" &&
                                            (json_begin(value) == 't' || json_begin(value) == 'f'));
    if (!known && !fault && !is_escaped(key))
      fault = {refused::condition_never_met, step.slug, key};
  });
  return fault;
}

constexpr Fault check_pattern(const FlowView& flow, const Step& step, std::string_view pattern) {
  if (const auto stop = json_fault(pattern))
    return {refused::condition_is_not_json, step.slug, pattern.substr(*stop).substr(0, 40)};
  if (step.count == 0) return {};  // compared with the run's input, which may be anything
  if (json_begin(pattern) != '{') return {refused::condition_never_met, step.slug, pattern};
  const std::span<const Dependency> dependencies = flow.of(step);
  Fault fault;
  each_json_member(pattern, [&](std::string_view key, std::string_view value) {
    if (fault || is_escaped(key)) return;
    const auto found = std::ranges::find(dependencies, key, &Dependency::slug);
    if (found == dependencies.end())
      fault = {refused::condition_never_met, step.slug, key};
    else if (flow.steps[found->position].kind == Kind::wait)
      fault = check_wait_pattern(step, value);
  });
  return fault;
}

constexpr Fault check_conditions(const FlowView& flow) {
  for (const Step& step : flow.steps)
    for (const auto& pattern : {step.settings.only_if, step.settings.unless})
      if (pattern)
        if (const Fault fault = check_pattern(flow, step, *pattern)) return fault;
  return {};
}

/// Whether the step runs only if that dependency completed.
constexpr bool asks_for(const Step& step, std::string_view dependency) {
  bool found = false;
  if (step.settings.only_if)
    each_json_member(*step.settings.only_if, [&](std::string_view key, std::string_view) {
      found = found || key == dependency;
    });
  return found;
}

constexpr Fault check_fits(const Step& step, std::string_view source, const Shape& given,
                           const Shape& taken) {
  if (fits(given, taken)) return {};
  return {refused::result_does_not_fit_input, step.slug, source};
}

/// Compares a map's elements with what its handler takes.
constexpr Fault check_elements(const Step& step, std::string_view source, const Shape& result) {
  using enum Shape::Kind;
  if (result.kind != any && result.kind != list && result.kind != tuple)
    return {refused::map_over_non_array, step.slug, source};
  return check_fits(step, source, result, {.kind = list, .element = step.code.input});
}

/// Compares what the dependency `source` returns, if it `can_be_absent`, with what `step` takes of
/// it.
constexpr Fault check_member(const Step& step, std::string_view source, const Shape& result,
                             bool can_be_absent) {
  using enum Shape::Kind;
  const Shape& input = *step.code.input;
  if (input.kind == any) return {};
  if (input.kind == dictionary) return check_fits(step, source, result, *input.element);
  if (input.kind != object) return {refused::input_is_not_an_object, step.slug, source};
  const std::size_t member = position(input.members, source);
  if (member == input.members.size()) return {};
  if (can_be_absent && input.members[member].shape->kind != optional)
    return {refused::input_member_can_be_absent, step.slug, source};
  return check_fits(step, source, result, *input.members[member].shape);
}

/// Checks that a dependency fills every member that the input of a step requires.
constexpr Fault check_filled(const Step& step, std::span<const Dependency> dependencies) {
  if (step.kind == Kind::map || dependencies.empty()) return {};
  for (const ShapeMember& member : step.code.input->members)
    if (member.shape->kind != Shape::Kind::optional &&
        std::ranges::find(dependencies, member.name, &Dependency::slug) == dependencies.end())
      return {refused::input_member_is_not_a_dependency, step.slug, member.name};
  return {};
}

constexpr Fault check_types(const FlowView& flow) {
  for (const Step& step : flow.steps) {
    for (const Dependency& dependency : flow.of(step)) {
      const Step& source = flow.steps[dependency.position];
      const Shape all_results{.kind = Shape::Kind::list, .element = source.code.result};
      const Shape& result = source.kind == Kind::map ? all_results : *source.code.result;
      const bool can_be_absent = source.can_be_absent() && !asks_for(step, source.slug);
      if (const Fault fault = step.kind == Kind::map
                                  ? check_elements(step, source.slug, result)
                                  : check_member(step, source.slug, result, can_be_absent))
        return fault;
    }
    if (const Fault fault = check_filled(step, flow.of(step))) return fault;
  }
  return {};
}

/// Checks everything D5 names, the conditions, and the types that are passed from step to step.
constexpr Fault check_flow(const FlowView& flow) {
  if (flow.steps.empty()) return {refused::no_steps, flow.slug};
  if (flow.steps.size() > steps_max) return {refused::too_many_steps, flow.slug};
  for (const auto check : {check_names, check_waits, check_children, check_options,
                           check_dependencies, check_acyclic, check_conditions, check_types})
    if (const Fault fault = check(flow)) return fault;
  return {};
}

/// True; or the compilation ends with the name of the fault.
template <const auto& flow>
consteval bool accept_flow() {
  constexpr Fault fault = check_flow(flow.view());
  constexpr Word<fault.step.size() + 1> step(fault.step);
  constexpr Word<fault.about.size() + 1> about(fault.about);
  if constexpr (fault) refuse<fault.why, step, about>();
  return true;
}

}  // namespace weir::sdk
