#include "unit/run/driven_run.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "unit/definition/drafts.hpp"

namespace weir {

FlowDefinition built(const FlowDraft& draft) {
  auto definition = FlowDefinition::build(draft);
  if (!definition) throw std::runtime_error(lines(definition.error()));
  return *std::move(definition);
}

std::vector<StepOptions> options_of(const FlowDefinition& definition) {
  std::vector<StepOptions> options;
  for (const StepDefinition& step : definition.steps()) options.push_back(step.options);
  return options;
}

Json json(std::string_view text) { return Json::parse(std::string(text)).value(); }

std::vector<JournalRow> by_key(std::vector<JournalRow> rows) {
  std::ranges::sort(rows, {},
                    [](const JournalRow& row) { return std::pair(row.task, row.attempt); });
  return rows;
}

DrivenRun::DrivenRun(const FlowDraft& draft, std::string_view input)
    : definition(built(draft)), state(definition, options_of(definition), 7, json(input), begin) {}

JournalRow DrivenRun::ends(std::string_view step, std::size_t index, AttemptResult result) {
  const TaskId task{position(step), index};
  JournalRow row = state.judge(task, ++attempts_[task], std::move(result));
  row.started_at = now;
  row.ended_at = now;
  if (const auto folded = state.apply(row); !folded) FAIL(to_string(folded.error()));
  journal.push_back(row);
  return row;
}

void DrivenRun::completes(std::string_view step, std::string_view output, std::size_t index) {
  ends(step, index, {.outcome = Outcome::completed, .output = json(output)});
}

void DrivenRun::fails(std::string_view step, std::string_view error, std::size_t index) {
  ends(step, index, {.outcome = Outcome::failed, .error_code = "e", .error = std::string(error)});
}

void DrivenRun::fails_for_good(std::string_view step, std::string_view error, std::size_t index) {
  ends(step, index,
       {.outcome = Outcome::failed_for_good, .error_code = "e", .error = std::string(error)});
}

void DrivenRun::is_lost(std::string_view step, std::size_t index) {
  ends(step, index,
       {.outcome = Outcome::lost, .error_code = "lost", .error = "its worker vanished"});
}

void DrivenRun::is_cancelled(std::string_view step, std::size_t index) {
  ends(step, index,
       {.outcome = Outcome::cancelled, .error_code = "run_ended", .error = "it ended"});
}

std::string DrivenRun::ready() {
  std::string text;
  for (const auto& [task, attempt, not_before] : state.take_ready()) {
    const StepDefinition& step = definition.steps()[task.step];
    if (!text.empty()) text += ' ';
    text += step.slug.view();
    if (step.kind == StepKind::map) text += fmt::format("[{}]", task.index);
    if (attempt > 1) text += fmt::format("#{}", attempt);
  }
  return text;
}

std::string DrivenRun::input_of(std::string_view step, std::size_t index) const {
  return std::string(state.input_of({position(step), index}).text());
}

std::string DrivenRun::end() const {
  if (!state.end()) return "";
  return state.end()->status == RunStatus::completed
             ? fmt::format("completed {}", state.end()->output.text())
             : fmt::format("failed: {}", state.end()->error);
}

}  // namespace weir
