#include "definition/draft_checks.hpp"

#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "base/slug.hpp"
#include "definition/flow_definition.hpp"
#include "definition/step_checks.hpp"

namespace weir {
namespace {

class DraftChecks {
 public:
  DraftChecks(const FlowDraft& draft, const StepGraph& graph)
      : draft_(draft), graph_(graph), flow_(in_quotes(draft.slug)) {}

  FaultList run() && {
    names();
    step_count();
    input_schema();
    options(draft_.options, fmt::format("flow {}", flow_));
    duplicate_steps();
    for (const FlowDraft::Step& step : draft_.steps) {
      const std::string where = fmt::format("step {} of flow {}", in_quotes(step.slug), flow_);
      check_kind(step, where, faults_);
      dependencies(step, where);
      options(step.options, where);
      check_conditions(step, graph_, where, faults_);
      recursion(step, where);
    }
    duplicate_signals();
    cycles();
    return std::move(faults_);
  }

 private:
  template <class T>
  void check_name(const Result<T>& parsed, const std::string& where) {
    if (!parsed)
      faults_.add(parsed.error().kind, fmt::format("{}: {}", where, parsed.error().message),
                  parsed.error().hint);
  }

  void names() {
    check_name(ModuleName::parse(draft_.module), fmt::format("flow {}", flow_));
    check_name(Slug::parse(draft_.slug),
               fmt::format("flow of module {}", in_quotes(draft_.module)));
    for (std::size_t i = 0; i < draft_.steps.size(); ++i)
      check_name(Slug::parse(draft_.steps[i].slug), fmt::format("flow {}, step {}", flow_, i + 1));
  }

  void step_count() {
    if (draft_.steps.empty())
      faults_.add("no_steps", fmt::format("flow {} has no steps", flow_), "give it at least one");
    if (draft_.steps.size() > FlowDefinition::steps_max)
      faults_.add("too_many_steps",
                  fmt::format("flow {} has {} steps, more than the {} that are allowed", flow_,
                              draft_.steps.size(), FlowDefinition::steps_max),
                  "one map step runs any number of tasks");
  }

  void input_schema() {
    if (!draft_.input_schema) return;
    const JsonType type = draft_.input_schema->type();
    if (type != JsonType::object && type != JsonType::boolean)
      faults_.add("bad_input_schema",
                  fmt::format("input_schema of flow {} is {}, which is not a JSON schema", flow_,
                              described(type)),
                  "a schema is an object, or true or false");
  }

  void duplicate_steps() {
    std::map<std::string, std::size_t> first_by_name;
    for (std::size_t i = 0; i < draft_.steps.size(); ++i) {
      const auto [first, is_new] = first_by_name.emplace(folded(draft_.steps[i].slug), i);
      if (is_new) continue;
      faults_.add("duplicate_step",
                  fmt::format("step {} of flow {} is defined twice: as step {}, and as step {} {}",
                              in_quotes(draft_.steps[i].slug), flow_, i + 1, first->second + 1,
                              in_quotes(draft_.steps[first->second].slug)),
                  "rename one; names that differ in case alone count as the same");
    }
  }

  void recursion(const FlowDraft::Step& step, const std::string& where) {
    if (step.kind == name(StepKind::flow) && step.flow &&
        folded(*step.flow) == folded(draft_.slug) && !step.only_if && !step.unless)
      faults_.add("endless_flow", fmt::format("{} starts its own flow again, without end", where),
                  "give the step a condition that ends it: only_if or unless");
  }

  void duplicate_signals() {
    std::map<std::string, std::string_view> first_by_signal;
    for (const FlowDraft::Step& step : draft_.steps) {
      if (step.kind != name(StepKind::wait)) continue;
      const std::string& signal = step.signal ? *step.signal : step.slug;
      const auto [first, is_new] = first_by_signal.emplace(folded(signal), step.slug);
      if (is_new || folded(step.slug) == folded(first->second)) continue;  // a duplicate_step
      faults_.add(
          "duplicate_signal",
          fmt::format("steps {} and {} of flow {} both wait for the signal {}",
                      in_quotes(first->second), in_quotes(step.slug), flow_, in_quotes(signal)),
          "a signal ends one wait: give each its own; names that differ in case alone "
          "count as the same");
    }
  }

  void dependencies(const FlowDraft::Step& step, const std::string& where) {
    std::map<std::string_view, std::size_t> mentions;
    for (const std::string& wanted : step.depends_on) ++mentions[wanted];
    std::vector<std::string> others;
    for (const auto& [wanted, count] : mentions) {
      if (count > 1)
        faults_.add("duplicate_dependency",
                    fmt::format("{} names its dependency {} {}", where, in_quotes(wanted),
                                count == 2 ? "twice" : fmt::format("{} times", count)),
                    "once is enough");
      if (wanted == step.slug) {
        faults_.add("self_dependency", fmt::format("{} waits for itself", where),
                    "drop that dependency");
        continue;
      }
      others.push_back(in_quotes(wanted));
      if (graph_.find(wanted) == nullptr) unknown_dependency(step, wanted);
    }
    if (step.kind == name(StepKind::map) && others.size() > 1)
      faults_.add("map_dependencies",
                  fmt::format("{} is a map with {} dependencies: {}", where, others.size(),
                              fmt::join(others, ", ")),
                  "a map has at most one, whose output is the array it maps over: let a single "
                  "step join them");
    if (step.kind == name(StepKind::flow) && others.size() > 1)
      faults_.add("flow_dependencies",
                  fmt::format("{} starts a flow and has {} dependencies: {}", where, others.size(),
                              fmt::join(others, ", ")),
                  "it has at most one, whose output is the input of the run it starts: let a "
                  "single step join them");
    if (step.kind == name(StepKind::map) && others.size() == 1) mapped(step, where);
  }

  void mapped(const FlowDraft::Step& step, const std::string& where) {
    const FlowDraft::Step* const over = graph_.find(step.depends_on.front());
    if (over != nullptr && over->kind == name(StepKind::wait))
      faults_.add("map_over_wait",
                  fmt::format("{} maps over {}, a wait, whose output is an object and not an array",
                              where, in_quotes(over->slug)),
                  "let a single step take the array out of its payload");
  }

  void unknown_dependency(const FlowDraft::Step& step, std::string_view wanted) {
    if (faults_.full()) return;  // the search for the nearest name is the only expensive check
    std::vector<std::string> candidates;
    for (const FlowDraft::Step& other : draft_.steps)
      if (other.slug != step.slug) candidates.push_back(other.slug);
    faults_.add("unknown_dependency",
                fmt::format("step {} waits for {}, which flow {} does not define",
                            in_quotes(step.slug), in_quotes(wanted), flow_),
                did_you_mean(wanted, candidates, "add the step, or drop the dependency"));
  }

  void options(const OptionOverrides& given, const std::string& where) {
    for (const OptionRule& rule : option_rules) {
      const std::optional<std::int64_t> value = given.*rule.member;
      if (!value) continue;
      if (rule.step_only && &given == &draft_.options)
        faults_.add("misplaced_option",
                    fmt::format("{} sets {}, which applies to steps only", where, rule.name),
                    "move it into the steps that must start late");
      else if (!rule.allows(*value))
        faults_.add("option_out_of_range",
                    fmt::format("{} sets {} to {}, which is not in the range of {}", where,
                                rule.name, *value, rule.range()));
    }
  }

  void cycles() {
    for (const std::vector<std::size_t>& cycle : graph_.cycles(FaultList::reported_max)) {
      std::string way;
      for (const std::size_t step : cycle) way += graph_.steps()[step].draft->slug + " → ";
      way += graph_.steps()[cycle.front()].draft->slug;
      faults_.add("cycle", fmt::format("flow {} has a cycle: {}", flow_, way),
                  "each waits for the one before it: drop one of these dependencies");
    }
  }

  const FlowDraft& draft_;
  const StepGraph& graph_;
  const std::string flow_;
  FaultList faults_;
};

}  // namespace

FaultList faults_of(const FlowDraft& draft, const StepGraph& graph) {
  return DraftChecks(draft, graph).run();
}

}  // namespace weir
