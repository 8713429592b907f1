#include "definition/canonical_form.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

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
  const StepOptions& options = step.options;
  const std::array<Member, 9> members = {{
      {"base_delay_ms", Json::number(options.base_delay.count())},
      {"depends_on", dependencies(step, steps)},
      {"kind", Json::string(name(step.kind))},
      {"max_attempts", Json::number(options.max_attempts)},
      {"max_delay_ms", Json::number(options.max_delay.count())},
      {"max_output_bytes", Json::number(options.max_output_bytes)},
      {"slug", Json::string(step.slug.view())},
      {"start_delay_ms", Json::number(options.start_delay.count())},
      {"timeout_ms", Json::number(options.timeout.count())},
  }};
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
