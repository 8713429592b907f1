#include "definition/flow_diff.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/json_sorted.hpp"

namespace weir {
namespace {

// By name, as positions may differ between the two definitions.
std::vector<std::string> dependencies(const FlowDefinition& flow, const StepDefinition& step) {
  std::vector<std::string> slugs;
  for (const std::size_t position : step.depends_on)
    slugs.push_back(flow.steps()[position].slug.string());
  std::ranges::sort(slugs);
  return slugs;
}

// The structure beside kind and dependencies: a run cannot move to a version that changes it (V3).
std::vector<std::pair<std::string_view, std::string>> structure(const StepDefinition& step) {
  const auto pattern = [](const std::optional<Json>& each) {
    return each ? std::string(sorted(*each).text()) : "none";
  };
  const auto word = [](std::string_view each) { return std::string(each.empty() ? "none" : each); };
  const StepConditions& conditions = step.conditions;
  return {{"only_if", pattern(conditions.only_if)},
          {"unless", pattern(conditions.unless)},
          {"when_unmet", word(name(conditions.when_unmet))},
          {"when_exhausted", word(name(conditions.when_exhausted))},
          {"signal", word(step.signal)},
          {"flow", word(step.child ? step.child->view() : "")}};
}

void note(std::vector<DefinitionChange>& changes, std::string_view what, std::string before,
          std::string after) {
  if (before != after) changes.push_back({std::string(what), std::move(before), std::move(after)});
}

std::optional<StepDiff> step_diff(const FlowDefinition& before, const StepDefinition& old_step,
                                  const FlowDefinition& after, bool& compatible) {
  StepDiff diff{.step = old_step.slug.string(), .status = StepDiff::Status::changed, .changes = {}};
  const auto found = after.find(old_step.slug.view());
  if (!found) {
    compatible = false;
    diff.status = StepDiff::Status::removed;
    return diff;
  }
  const StepDefinition& new_step = after.steps()[*found];
  note(diff.changes, "kind", std::string(name(old_step.kind)), std::string(name(new_step.kind)));
  note(diff.changes, "depends_on",
       fmt::format("[{}]", fmt::join(dependencies(before, old_step), ", ")),
       fmt::format("[{}]", fmt::join(dependencies(after, new_step), ", ")));
  const auto before_is = structure(old_step);
  const auto after_is = structure(new_step);
  for (std::size_t i = 0; i < before_is.size(); ++i)
    note(diff.changes, before_is[i].first, before_is[i].second, after_is[i].second);
  if (!diff.changes.empty()) compatible = false;
  for (const OptionRule& rule : option_rules)
    note(diff.changes, rule.name, std::to_string(rule.get(old_step.options)),
         std::to_string(rule.get(new_step.options)));
  if (diff.changes.empty()) return std::nullopt;
  return diff;
}

FlowDiff flow_diff(const FlowDefinition& before, const FlowDefinition& after) {
  FlowDiff diff;
  diff.flow = before.slug().string();
  diff.same_version = before.fingerprint() == after.fingerprint();
  const auto schema = [](const FlowDefinition& flow) {
    return flow.input_schema() ? std::string(flow.input_schema()->text()) : "none";
  };
  note(diff.changes, "module", before.module().string(), after.module().string());
  note(diff.changes, "input_schema", schema(before), schema(after));
  for (const StepDefinition& step : before.steps())
    if (auto changed = step_diff(before, step, after, diff.compatible))
      diff.steps.push_back(*std::move(changed));
  for (const StepDefinition& step : after.steps()) {
    if (before.find(step.slug.view())) continue;
    diff.compatible = false;
    diff.steps.push_back(
        {.step = step.slug.string(), .status = StepDiff::Status::added, .changes = {}});
  }
  if (!diff.changes.empty() || !diff.steps.empty()) diff.status = FlowDiff::Status::changed;
  return diff;
}

}  // namespace

std::string_view name(StepDiff::Status status) noexcept {
  switch (status) {
    case StepDiff::Status::added:
      return "added";
    case StepDiff::Status::removed:
      return "removed";
    case StepDiff::Status::changed:
      return "changed";
  }
  return "";
}

std::string_view name(FlowDiff::Status status) noexcept {
  switch (status) {
    case FlowDiff::Status::added:
      return "added";
    case FlowDiff::Status::removed:
      return "removed";
    case FlowDiff::Status::changed:
      return "changed";
    case FlowDiff::Status::same:
      return "same";
  }
  return "";
}

std::vector<FlowDiff> diff(std::span<const FlowDefinition> before,
                           std::span<const FlowDefinition> after) {
  const auto find = [](std::span<const FlowDefinition> flows, const Slug& slug) {
    return std::ranges::find_if(flows, [&](const auto& flow) { return flow.slug() == slug; });
  };
  std::vector<FlowDiff> diffs;
  for (const FlowDefinition& flow : before) {
    if (const auto found = find(after, flow.slug()); found != after.end()) {
      diffs.push_back(flow_diff(flow, *found));
      continue;
    }
    FlowDiff& removed = diffs.emplace_back();
    removed.flow = flow.slug().string();
    removed.status = FlowDiff::Status::removed;
    removed.same_version = removed.compatible = false;
  }
  for (const FlowDefinition& flow : after) {
    if (find(before, flow.slug()) != before.end()) continue;
    FlowDiff& added = diffs.emplace_back();
    added.flow = flow.slug().string();
    added.status = FlowDiff::Status::added;
    added.same_version = false;
  }
  return diffs;
}

}  // namespace weir
