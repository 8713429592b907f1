#include "definition/flow_definition.hpp"

#include <algorithm>
#include <functional>

#include "base/assert.hpp"
#include "base/sha256.hpp"
#include "definition/canonical_form.hpp"
#include "definition/draft_checks.hpp"
#include "definition/step_graph.hpp"

namespace weir {
namespace {

StepConditions conditions_of(const FlowDraft::Step& draft) {
  StepConditions conditions{.only_if = draft.only_if, .unless = draft.unless};
  if (draft.when_unmet) conditions.when_unmet = *fallback(*draft.when_unmet);
  if (draft.when_exhausted) conditions.when_exhausted = *fallback(*draft.when_exhausted);
  return conditions;
}

// Whether a step at that position depends only on steps before it, and only steps after it depend
// on it; each of them listed once, ascending.
[[maybe_unused]] bool has_its_place(const StepDefinition& step, std::size_t position) {
  const auto ascends = [](const std::vector<std::size_t>& positions) {
    return std::ranges::adjacent_find(positions, std::greater_equal{}) == positions.end();
  };
  return ascends(step.depends_on) && ascends(step.dependents) &&
         (step.depends_on.empty() || step.depends_on.back() < position) &&
         (step.dependents.empty() || step.dependents.front() > position);
}

// The steps of the graph in canonical order. The draft must have no faults.
std::vector<StepDefinition> in_canonical_order(const StepGraph& graph,
                                               const OptionOverrides& for_all) {
  const std::vector<std::size_t> order = graph.order();
  WEIR_ASSERT(order.size() == graph.steps().size());  // no step is on a cycle
  std::vector<std::size_t> position(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) position[order[i]] = i;
  const auto positions = [&](const std::vector<std::size_t>& steps) {
    std::vector<std::size_t> sorted;
    for (const std::size_t step : steps) sorted.push_back(position[step]);
    std::ranges::sort(sorted);
    return sorted;
  };

  std::vector<StepDefinition> steps;
  for (const std::size_t i : order) {
    const StepGraph::Step& step = graph.steps()[i];
    const FlowDraft::Step& draft = *step.draft;
    const StepKind kind = *step_kind(draft.kind);
    steps.push_back(
        {.slug = *Slug::parse(draft.slug),
         .kind = kind,
         .depends_on = positions(step.depends_on),
         .dependents = positions(step.dependents),
         .options = overridden(overridden({}, applicable(for_all, kind)), draft.options),
         .conditions = conditions_of(draft),
         .signal = kind == StepKind::wait ? draft.signal.value_or(draft.slug) : "",
         .child = {}});
    if (draft.flow) steps.back().child = *Slug::parse(*draft.flow);
    WEIR_DEBUG_ASSERT(has_its_place(steps.back(), steps.size() - 1));
  }
  return steps;
}

}  // namespace

std::expected<FlowDefinition, Faults> FlowDefinition::build(const FlowDraft& draft) {
  const StepGraph graph(draft);
  if (FaultList faults = faults_of(draft, graph); !faults.empty())
    return std::unexpected(std::move(faults).take());

  FlowDefinition flow(*ModuleName::parse(draft.module), *Slug::parse(draft.slug));
  flow.steps_ = in_canonical_order(graph, draft.options);
  flow.input_schema_ = draft.input_schema;
  flow.canonical_ = canonical_form(flow.slug_, flow.steps_);
  flow.fingerprint_ = sha256_hex(flow.canonical_.text());
  return flow;
}

std::optional<std::size_t> FlowDefinition::find(std::string_view step_slug) const noexcept {
  const auto found = std::ranges::find(steps_, step_slug,
                                       [](const StepDefinition& step) { return step.slug.view(); });
  if (found == steps_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - steps_.begin());
}

bool FlowDefinition::maps_over_input() const noexcept {
  return std::ranges::any_of(steps_, [](const StepDefinition& step) {
    return step.kind == StepKind::map && step.depends_on.empty();
  });
}

}  // namespace weir
