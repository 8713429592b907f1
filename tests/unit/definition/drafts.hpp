#pragma once
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "definition/flow_definition.hpp"

namespace weir {

inline FlowDraft::Step step(std::string slug, std::vector<std::string> depends_on = {},
                            OptionOverrides options = {}) {
  return {.slug = std::move(slug),
          .kind = "single",
          .depends_on = std::move(depends_on),
          .options = options};
}

inline FlowDraft::Step of_kind(std::string kind, std::string slug,
                               std::vector<std::string> depends_on = {}) {
  return {.slug = std::move(slug),
          .kind = std::move(kind),
          .depends_on = std::move(depends_on),
          .options = {}};
}

inline FlowDraft flow(std::vector<FlowDraft::Step> steps) {
  return {.module = "shop.Totals",
          .slug = "totals",
          .options = {},
          .steps = std::move(steps),
          .input_schema = {}};
}

// One line for each fault: "kind: message (hint)".
inline std::string lines(const Faults& faults) {
  std::string text;
  for (const Error& fault : faults) text += fault.kind + ": " + to_string(fault) + "\n";
  return text;
}

// The faults that build finds in a draft, a line each; "" when there are none.
inline std::string build_faults(const FlowDraft& draft) {
  const auto built = FlowDefinition::build(draft);
  return built ? "" : lines(built.error());
}

// What a draft makes; throws its faults.
inline FlowDefinition built(const FlowDraft& draft) {
  auto definition = FlowDefinition::build(draft);
  if (!definition) throw std::runtime_error(lines(definition.error()));
  return *std::move(definition);
}

inline std::string slugs(const FlowDefinition& flow) {
  std::string text;
  for (const StepDefinition& each : flow.steps())
    text += (text.empty() ? "" : " ") + each.slug.string();
  return text;
}

}  // namespace weir
