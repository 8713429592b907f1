#include "definition/step_checks.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "base/json.hpp"
#include "base/nearest.hpp"
#include "base/slug.hpp"
#include "definition/fallback.hpp"
#include "definition/step_kind.hpp"
#include "definition/step_options.hpp"

namespace weir {
namespace {

constexpr std::string_view signal_form =
    "words of letters, digits and _ joined by dots, 128 bytes at most: order.paid";

void check_signal(const FlowDraft::Step& step, StepKind kind, const std::string& where,
                  FaultList& faults) {
  if (!step.signal) return;
  if (kind != StepKind::wait)
    faults.add(
        "misplaced_option",
        fmt::format("{} has the signal {}, but is not a wait", where, in_quotes(*step.signal)),
        "only a step of the kind \"wait\" ends with a signal");
  else if (step.signal->size() > Slug::bytes_max || !ModuleName::parse(*step.signal))
    faults.add("bad_signal",
               fmt::format("{} waits for the signal {}, which is not a name", where,
                           in_quotes(*step.signal)),
               std::string(signal_form));
}

void check_child(const FlowDraft::Step& step, StepKind kind, const std::string& where,
                 FaultList& faults) {
  if (kind != StepKind::flow) {
    if (step.flow)
      faults.add("misplaced_option",
                 fmt::format("{} names the flow {}, but is of the kind \"{}\"", where,
                             in_quotes(*step.flow), step.kind),
                 "only a step of the kind \"flow\" starts another flow");
    return;
  }
  if (!step.flow)
    faults.add("missing_flow", fmt::format("{} does not say which flow it starts", where),
               "\"flow\": the slug of that flow");
  else if (const auto slug = Slug::parse(*step.flow); !slug)
    faults.add("bad_slug", fmt::format("{}: its flow: {}", where, slug.error().message),
               slug.error().hint);
}

void check_options(const FlowDraft::Step& step, StepKind kind, const std::string& where,
                   FaultList& faults) {
  for (const OptionRule& rule : option_rules)
    if (step.options.*rule.member && !rule.applies_to(kind))
      faults.add("misplaced_option",
                 fmt::format("{} sets {}, which does not apply to a step of the kind \"{}\"", where,
                             rule.name, step.kind),
                 kind == StepKind::wait
                     ? "a wait is never retried: its timeout_ms is how long it waits"
                     : "the run it starts uses the options of its own flow");
  if (kind == StepKind::wait && step.when_exhausted)
    faults.add("misplaced_option",
               fmt::format("{} sets when_exhausted, but a wait never fails", where),
               "when its time is over it completes with {\"signalled\": false}: test for that in "
               "the conditions of the steps after it");
}

void check_fallback(const std::optional<std::string>& word, std::string_view member,
                    const std::string& where, FaultList& faults) {
  static const std::vector<std::string> offered = {"fail", "skip", "skip_cascade"};
  if (word && !fallback(*word))
    faults.add("unknown_fallback",
               fmt::format("{} sets {} to the unknown {}", where, member, in_quotes(*word)),
               did_you_mean(*word, offered,
                            fmt::format("the fallbacks are {}", fmt::join(offered, ", "))));
}

// Checks a pattern for a wait's output, which is {"signalled": true, "payload": …} or
// {"signalled": false}.
void check_wait_pattern(const Json& pattern, const std::string& what, FaultList& faults) {
  static const std::vector<std::string> known = {"signalled", "payload"};
  if (pattern.type() != JsonType::object)
    return faults.add("condition_never_met",
                      fmt::format("{} is {}, but the output of a wait is an object", what,
                                  described(pattern.type())),
                      "a wait that was signalled gives {\"signalled\": true, \"payload\": …}, else "
                      "{\"signalled\": false}");
  for (const auto& [key, value] : pattern.members()) {
    if (std::ranges::find(known, key) == known.end())
      faults.add(
          "condition_never_met",
          fmt::format("{} asks for {}, which the output of a wait never has", what, in_quotes(key)),
          did_you_mean(key, known, "it has \"signalled\" and \"payload\""));
    else if (key == "signalled" && value.type() != JsonType::boolean)
      faults.add("condition_never_met",
                 fmt::format("{}: \"signalled\" is {}", what, described(value.type())),
                 "it is true or false");
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(in_quotes(word));
  return fmt::format("{}", fmt::join(quoted, ", "));
}

// Checks a pattern of a step with dependencies, which is compared with the object of their outputs.
void check_pattern(const Json& pattern, std::string_view member, const FlowDraft::Step& step,
                   const StepGraph& graph, const std::string& where, FaultList& faults) {
  WEIR_ASSERT(!step.depends_on.empty());
  if (pattern.type() != JsonType::object)
    return faults.add("condition_never_met",
                      fmt::format("{}: {} is {}, but is compared with an object that has the "
                                  "outputs of its dependencies by name",
                                  where, member, described(pattern.type())),
                      fmt::format("{{{}: …}}", in_quotes(step.depends_on.front())));
  for (const auto& [key, value] : pattern.members()) {
    if (faults.full()) return;  // the search for the nearest name is the only expensive check
    if (std::ranges::find(step.depends_on, key) == step.depends_on.end()) {
      faults.add(
          "condition_never_met",
          fmt::format("{}: {} asks for {}, which is not one of its dependencies", where, member,
                      in_quotes(key)),
          did_you_mean(key, step.depends_on, fmt::format("they are {}", joined(step.depends_on))));
      continue;
    }
    const FlowDraft::Step* const source = graph.find(key);
    if (source != nullptr && source->kind == name(StepKind::wait))
      check_wait_pattern(value, fmt::format("{}: {} of {}", where, member, in_quotes(key)), faults);
  }
}

}  // namespace

void check_kind(const FlowDraft::Step& step, const std::string& where, FaultList& faults) {
  static const std::vector<std::string> offered = {"single", "map", "wait", "flow"};
  const std::optional<StepKind> kind = step_kind(step.kind);
  if (!kind)
    return faults.add("unknown_kind",
                      fmt::format("{} is of the unknown kind {}", where, in_quotes(step.kind)),
                      did_you_mean(step.kind, offered,
                                   fmt::format("the kinds are {}", fmt::join(offered, ", "))));
  check_signal(step, *kind, where, faults);
  check_child(step, *kind, where, faults);
  check_options(step, *kind, where, faults);
}

void check_conditions(const FlowDraft::Step& step, const StepGraph& graph, const std::string& where,
                      FaultList& faults) {
  check_fallback(step.when_unmet, "when_unmet", where, faults);
  check_fallback(step.when_exhausted, "when_exhausted", where, faults);
  if (step.when_unmet && !step.only_if && !step.unless)
    faults.add("misplaced_option",
               fmt::format("{} sets when_unmet, but has neither only_if nor unless", where),
               "give it the condition, or drop when_unmet");
  if (step.depends_on.empty()) return;  // compared with the run's input, which may be anything
  if (step.only_if) check_pattern(*step.only_if, "only_if", step, graph, where, faults);
  if (step.unless) check_pattern(*step.unless, "unless", step, graph, where, faults);
}

}  // namespace weir
