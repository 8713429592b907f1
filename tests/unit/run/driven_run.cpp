#include "unit/run/driven_run.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "unit/definition/drafts.hpp"

namespace weir {

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
  JournalRow row = state.make_row(task, ++attempts_[task], std::move(result));
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

void DrivenRun::is_retried(std::string_view step, std::size_t index) {
  ends(step, index, {.outcome = Outcome::retried});
}

std::string DrivenRun::ready() { return text_of(state.take_ready()); }

std::string DrivenRun::text_of(const std::vector<ReadyTask>& tasks) const {
  std::string text;
  for (const auto& [task, attempt, not_before] : tasks) {
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

std::string DrivenRun::end() const { return text_of(state.end()); }

std::string DrivenRun::text_of(const std::optional<RunEnd>& end) {
  if (!end) return "";
  switch (end->status) {
    case RunStatus::completed:
      return fmt::format("completed {}{}", end->output.text(),
                         end->note.empty() ? "" : " (" + end->note + ")");
    case RunStatus::failed:
      return fmt::format("failed: {}", end->error);
    case RunStatus::cancelled:
      return fmt::format("cancelled: {}", end->error);
  }
  return "?";
}

std::string DrivenRun::skips() {
  std::string text;
  for (JournalRow& row : state.take_skips()) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ",
                        definition.steps()[row.task.step].slug.view(), row.error_code);
    journal.push_back(std::move(row));
  }
  return text;
}

std::string DrivenRun::ended() {
  constexpr std::array<std::string_view, 3> kinds = {"completed", "failed", "skipped"};
  std::string text;
  for (const auto& [step, kind] : state.take_step_ends())
    text += fmt::format("{}{}:{}", text.empty() ? "" : " ", definition.steps()[step].slug.view(),
                        kinds.at(static_cast<std::size_t>(kind)));
  return text;
}

std::string DrivenRun::text_of(const std::vector<OpenWait>& waits) const {
  std::string text;
  for (const auto& [step, until] : waits)
    text += fmt::format("{}{}@{}", text.empty() ? "" : " ", definition.steps()[step].slug.view(),
                        std::chrono::duration_cast<std::chrono::seconds>(until - begin).count());
  return text;
}

std::string DrivenRun::waiting() const { return text_of(state.waits()); }

std::string DrivenRun::replay_difference() const {
  for (const auto& rows : {journal, by_key(journal)}) {
    RunState again(definition, options_of(definition), 7, state.input(), begin);
    for (const JournalRow& row : rows)
      if (const auto folded = again.apply(row); !folded) return to_string(folded.error());
    if (text_of(again.end()) != end()) return text_of(again.end());
    if (text_of(again.waits()) != waiting()) return text_of(again.waits());
    if (const auto skips = again.take_skips(); !skips.empty())
      return fmt::format("skips step {} once more", skips.front().task.step);
  }
  return "";
}

}  // namespace weir
