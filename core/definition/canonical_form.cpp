#include "definition/canonical_form.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_sorted.hpp"

namespace weir {
namespace {

using Member = std::pair<std::string, Json>;

Json dependencies(const StepDefinition& step, const std::vector<StepDefinition>& steps) {
  std::vector<std::string_view> slugs;
  for (const std::size_t dependency : step.depends_on)
    slugs.push_back(steps[dependency].slug.view());
  std::ranges::sort(slugs);
  std::vector<Json> sorted;
  for (const std::string_view slug : slugs) sorted.push_back(Json::string(slug));
  return Json::array(sorted);
}

Json step_form(const StepDefinition& step, const std::vector<StepDefinition>& steps) {
  std::vector<Member> members = {
      {"depends_on", dependencies(step, steps)},
      {"kind", Json::string(name(step.kind))},
      {"slug", Json::string(step.slug.view())},
  };
  // An option that is added to these must be left out where it has its default, which then never
  // changes: else every flow would get a new version (decision 2).
  for (const OptionRule& rule : option_rules)
    members.emplace_back(rule.name, Json::number(rule.get(step.options)));
  const StepConditions& conditions = step.conditions;
  const StepConditions usual;
  if (conditions.only_if) members.emplace_back("only_if", sorted(*conditions.only_if));
  if (conditions.unless) members.emplace_back("unless", sorted(*conditions.unless));
  if (conditions.when_unmet != usual.when_unmet)
    members.emplace_back("when_unmet", Json::string(name(conditions.when_unmet)));
  if (conditions.when_exhausted != usual.when_exhausted)
    members.emplace_back("when_exhausted", Json::string(name(conditions.when_exhausted)));
  if (step.kind == StepKind::wait && step.signal != step.slug.view())
    members.emplace_back("signal", Json::string(step.signal));
  if (step.child) members.emplace_back("flow", Json::string(step.child->view()));
  std::ranges::sort(members, {}, &Member::first);
  return Json::object(members);
}

}  // namespace

Json canonical_form(const Slug& flow, const std::vector<StepDefinition>& steps) {
  std::vector<Json> forms;
  for (const StepDefinition& step : steps) forms.push_back(step_form(step, steps));
  const std::array<Member, 2> members = {
      {{"slug", Json::string(flow.view())}, {"steps", Json::array(forms)}}};
  return Json::object(members);
}

}  // namespace weir
