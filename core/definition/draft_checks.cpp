#include "definition/draft_checks.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "base/slug.hpp"
#include "definition/flow_definition.hpp"

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
      kind(step, where);
      dependencies(step, where);
      options(step.options, where);
    }
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
                  fmt::format("input_schema of flow {} is {}, which is no JSON schema", flow_,
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

  void kind(const FlowDraft::Step& step, const std::string& where) {
    static const std::array<std::string, 2> offered = {"single", "map"};
    const std::optional<StepKind> kind = step_kind(step.kind);
    if (!kind)
      faults_.add("unknown_kind",
                  fmt::format("{} is of the unknown kind {}", where, in_quotes(step.kind)),
                  did_you_mean(step.kind, offered, "the kinds are single and map"));
    else if (*kind == StepKind::wait || *kind == StepKind::flow)
      faults_.add(
          "unsupported_kind",
          fmt::format("{} is of the kind \"{}\": this version of Weir does not run {} steps", where,
                      step.kind, step.kind),
          "the kinds it runs are single and map");
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
      if (!defined(wanted)) unknown_dependency(step, wanted);
    }
    if (step.kind == name(StepKind::map) && others.size() > 1)
      faults_.add("map_dependencies",
                  fmt::format("{} is a map with {} dependencies: {}", where, others.size(),
                              fmt::join(others, ", ")),
                  "a map has at most one, whose output is the array it maps over: let a single "
                  "step join them");
  }

  bool defined(std::string_view slug) const {
    const auto slug_of = [](const StepGraph::Step& step) -> std::string_view {
      return step.draft->slug;
    };
    return std::ranges::binary_search(graph_.steps(), slug, {}, slug_of);
  }

  void unknown_dependency(const FlowDraft::Step& step, std::string_view wanted) {
    if (faults_.full()) return;  // looking for the nearest name is the one check that costs
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
                    fmt::format("{} sets {}, which is for steps alone", where, rule.name),
                    "move it into the steps that are to start late");
      else if (!rule.allows(*value))
        faults_.add("option_out_of_range",
                    fmt::format("{} sets {} to {}, which is not in the range of {}", where,
                                rule.name, *value, rule.range()));
    }
  }

  void cycles() {
    for (const std::vector<std::size_t>& cycle : graph_.cycles(FaultList::told_max)) {
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
