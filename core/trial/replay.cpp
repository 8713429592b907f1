#include "trial/replay.hpp"

#include <optional>
#include <utility>

#include <fmt/core.h>

#include "definition/manifest.hpp"
#include "run/run_state.hpp"
#include "trial/step_trial.hpp"

namespace weir {
namespace {

// The canonical form is a manifest's flow without its module.
Result<FlowDefinition> definition_of(const RecordedRun& run) {
  const std::string text =
      fmt::format(R"({{"weir":1,"plugin":"recorded","flows":[{{"module":{},{}]}})",
                  json_quoted(run.module), run.definition.text().substr(1));
  const auto manifest = Manifest::parse(text);
  if (!manifest) return std::unexpected(manifest.error().front());
  FlowDraft draft = manifest->flows.front();
  // The canonical form also has the options that do not apply to a step's kind: remove those.
  for (FlowDraft::Step& step : draft.steps)
    if (const auto kind = step_kind(step.kind))
      for (const OptionRule& rule : option_rules)
        if (!rule.applies_to(*kind)) (step.options.*rule.member).reset();
  auto definition = FlowDefinition::build(draft);
  if (!definition) return std::unexpected(definition.error().front());
  return *std::move(definition);
}

// Whether the row is the result of the plugin's code.
bool is_result(const JournalRow& row, const FlowDefinition& definition) {
  return has_code(definition.steps()[row.task.step].kind) &&
         (row.outcome == Outcome::completed || row.outcome == Outcome::failed ||
          row.outcome == Outcome::failed_for_good || row.outcome == Outcome::timed_out);
}

void compare(const JournalRow& row, const AttemptResult& now, ReplayedAttempt& attempt) {
  using Verdict = ReplayedAttempt::Verdict;
  if (now.outcome != Outcome::completed) {
    attempt.error_code = now.error_code;
    attempt.error = now.error;
    attempt.verdict = row.outcome == Outcome::completed ? Verdict::fails : Verdict::same;
  } else if (row.outcome != Outcome::completed) {
    attempt.verdict = Verdict::completes;
  } else if (auto difference = first_difference(*row.output, *now.output)) {
    attempt.difference = *std::move(difference);
    attempt.verdict = Verdict::differs;
  }
}

}  // namespace

std::string_view name(ReplayedAttempt::Verdict verdict) noexcept {
  switch (verdict) {
    case ReplayedAttempt::Verdict::same:
      return "same";
    case ReplayedAttempt::Verdict::differs:
      return "differs";
    case ReplayedAttempt::Verdict::fails:
      return "fails";
    case ReplayedAttempt::Verdict::completes:
      return "completes";
    case ReplayedAttempt::Verdict::no_such_step:
      return "no such step";
  }
  return "";
}

bool is_as_before(ReplayedAttempt::Verdict verdict) noexcept {
  return verdict == ReplayedAttempt::Verdict::same ||
         verdict == ReplayedAttempt::Verdict::completes;
}

Result<std::vector<ReplayedAttempt>> replay(const RecordedRun& run, const FlowHandle& flow) {
  const auto definition = definition_of(run);
  if (!definition) return std::unexpected(definition.error());
  std::vector<StepOptions> options;
  for (const StepDefinition& step : definition->steps()) options.push_back(step.options);
  RunState state(*definition, std::move(options), 1, run.input, Time{});
  StepTrial trial(flow);
  std::vector<ReplayedAttempt> replayed;
  for (const JournalRow& row : run.rows) {
    if (auto folded = state.apply(row); !folded) return std::unexpected(folded.error());
    if (!is_result(row, *definition)) continue;
    ReplayedAttempt& attempt = replayed.emplace_back();
    attempt.step = definition->steps()[row.task.step].slug.string();
    attempt.index = row.task.index;
    attempt.attempt = row.attempt;
    attempt.recorded = row.outcome;
    const auto position = flow->definition.find(attempt.step);
    if (!position || !has_code(flow->definition.steps()[*position].kind)) {
      attempt.verdict = ReplayedAttempt::Verdict::no_such_step;
      continue;
    }
    compare(row,
            trial.call({.task = {*position, row.task.index},
                        .number = row.attempt,
                        .input = state.input_of(row.task),
                        .flow_input = run.input,
                        .options = flow->definition.steps()[*position].options}),
            attempt);
  }
  return replayed;
}

}  // namespace weir
