#include "unit/run/simulated_run.hpp"

#include <algorithm>
#include <iterator>

#include <doctest/doctest.h>

namespace weir {
namespace {

// The parts of a state that a worker acts on.
std::map<std::pair<TaskId, int>, Time> ready_of(RunState& state) {
  std::map<std::pair<TaskId, int>, Time> ready;
  for (const ReadyTask& each : state.take_ready())
    REQUIRE(ready.emplace(std::pair(each.task, each.attempt), each.not_before).second);
  return ready;
}

auto any_of(auto& entries, Random& random) {
  return std::next(entries.begin(), static_cast<std::ptrdiff_t>(below(entries.size(), random)));
}

}  // namespace

SimulatedRun::SimulatedRun(const FlowDefinition& definition, Random& random)
    : definition_(definition),
      random_(random),
      options_(options_of(definition)),
      input_(definition.maps_over_input() ? random_array(random) : random_json(random)),
      state_(definition, options_, 7, input_, now_),
      oracle_(definition, input_) {}

void SimulatedRun::live() {
  constexpr int turns_max = 100'000;
  for (int turn = 0; !state_.end(); ++turn) {
    REQUIRE(turn < turns_max);  // every run ends
    gather();
    const std::size_t choice = below(32, random_);
    if (choice == 0)
      crash();
    else if (choice == 1)
      offer_impossible_row();
    else if (choice < 6)
      pass_time();
    else if (choice < 16)
      start();
    else
      settle();
  }
  end();
}

void SimulatedRun::gather() {
  for (const auto& [attempt, not_before] : ready_of(state_)) {
    const auto& [task, number] = attempt;
    REQUIRE(oracle_.may_begin(task.step));
    REQUIRE(task.index < oracle_.task_count(task.step).value());
    REQUIRE(number == oracle_.attempts(task) + 1);
    REQUIRE(state_.input_of(task) == oracle_.input_of(task));
    REQUIRE_FALSE(in_flight_.contains(attempt));
    REQUIRE(waiting_.emplace(attempt, not_before).second);
  }
  // Nothing to do and nothing under way would be a run that never ends.
  REQUIRE((!waiting_.empty() || !in_flight_.empty() || state_.end()));
}

void SimulatedRun::start() {
  if (waiting_.empty()) return;
  const auto chosen = any_of(waiting_, random_);
  if (chosen->second > now_) return;
  REQUIRE(started_.insert(chosen->first).second);
  in_flight_.insert(waiting_.extract(chosen));
}

void SimulatedRun::settle() {
  if (in_flight_.empty()) return;
  const Attempt attempt = any_of(in_flight_, random_)->first;
  settle(attempt, random_result(attempt.first));
  if (one_in(16, random_)) agree_with_folds();
}

void SimulatedRun::settle(Attempt attempt, AttemptResult result) {
  JournalRow row = state_.judge(attempt.first, attempt.second, std::move(result));
  row.started_at = row.ended_at = now_;
  REQUIRE(state_.apply(row).has_value());
  in_flight_.erase(attempt);
  oracle_.add(row);
  journal_.push_back(std::move(row));
}

AttemptResult SimulatedRun::random_result(TaskId task) {
  AttemptResult result;
  if (one_in(8, random_)) {
    result.outcome = one_in(8, random_)   ? Outcome::failed_for_good
                     : one_in(2, random_) ? Outcome::timed_out
                                          : Outcome::failed;
    result.error = "boom";
    if (one_in(4, random_)) result.retry_after = std::chrono::milliseconds(below(5'000, random_));
    return result;
  }
  const bool list = std::ranges::any_of(
      definition_.steps()[task.step].dependents,
      [&](std::size_t each) { return definition_.steps()[each].kind == StepKind::map; });
  result.output = list && !one_in(50, random_) ? random_array(random_) : random_json(random_);
  return result;
}

void SimulatedRun::pass_time() {
  now_ += std::chrono::microseconds(below(1'000, random_));
  if (!in_flight_.empty() || waiting_.empty()) return;
  const auto first =
      std::ranges::min_element(waiting_, {}, [](const auto& each) { return each.second; });
  now_ = std::max(now_, first->second);
}

// The worker is gone. What it had in flight was given back uncharged, or is lost with it; the next
// one reads the journal, perhaps with other options.
void SimulatedRun::crash() {
  agree_with_folds();
  const bool drained = one_in(2, random_);
  for (const auto& [attempt, not_before] : in_flight_) {
    if (drained) {
      started_.erase(attempt);
      continue;
    }
    JournalRow row{.task = attempt.first, .attempt = attempt.second, .outcome = Outcome::lost};
    row.started_at = row.ended_at = now_;
    oracle_.add(row);
    journal_.push_back(std::move(row));
  }
  in_flight_.clear();
  waiting_.clear();
  if (one_in(8, random_))
    for (StepOptions& each : options_)
      each.max_attempts = 1 + static_cast<std::int64_t>(below(4, random_));
  state_ = folded(one_in(2, random_) ? journal_ : by_key(journal_));
}

void SimulatedRun::offer_impossible_row() {
  const std::size_t steps = definition_.steps().size();
  JournalRow row{.task = {}, .output = Json::array({})};
  if (!journal_.empty() && one_in(2, random_)) {
    row = *any_of(journal_, random_);  // once more
  } else {
    row.task.step = below(steps + 1, random_);
    const auto count = row.task.step < steps ? oracle_.task_count(row.task.step) : std::nullopt;
    row.task.index = below(count.value_or(0) + 3, random_);
    const bool exists = count && row.task.index < *count;
    if (exists) row.attempt = oracle_.attempts(row.task) + 2;
  }
  const auto refused = state_.apply(row);
  REQUIRE_FALSE(refused.has_value());
  REQUIRE(refused.error().code == ErrorCode::corrupt);
  agree_with_folds();
}

// F6: what ended in the same batch is still taken in, and whatever runs is cancelled.
void SimulatedRun::end() {
  const RunEnd first = *state_.end();
  while (!in_flight_.empty()) {
    const Attempt attempt = in_flight_.begin()->first;
    settle(attempt, one_in(2, random_)
                        ? random_result(attempt.first)
                        : AttemptResult{.outcome = Outcome::cancelled, .error = "the run ended"});
  }
  waiting_.clear();
  REQUIRE(state_.take_ready().empty());
  REQUIRE(state_.end().has_value());
  REQUIRE(state_.end()->status == first.status);
  agree_with_folds();
  const auto output = oracle_.output();
  if (first.status == RunStatus::completed) {
    REQUIRE(output.has_value());
    REQUIRE(first.output == *output);
  } else {
    REQUIRE_FALSE(output.has_value());
    REQUIRE(state_.end()->failed_step.has_value());
    REQUIRE_FALSE(oracle_.is_completed(*state_.end()->failed_step));
  }
}

// A restart in this moment, by either order of rows, finds the same run.
void SimulatedRun::agree_with_folds() const {
  auto expected = waiting_;
  expected.insert(in_flight_.begin(), in_flight_.end());
  for (const auto& rows : {journal_, by_key(journal_)}) {
    RunState again = folded(rows);
    REQUIRE(again.end().has_value() == state_.end().has_value());
    const auto ready = ready_of(again);
    if (state_.end()) {
      REQUIRE(ready.empty());
      REQUIRE(again.end()->status == state_.end()->status);
      REQUIRE(again.end()->output == state_.end()->output);
      REQUIRE(again.end()->error == state_.end()->error);
      REQUIRE(again.end()->failed_step == state_.end()->failed_step);
      continue;
    }
    RunState rest = state_;  // what it freed since it was asked last
    for (const ReadyTask& each : rest.take_ready())
      expected.emplace(std::pair(each.task, each.attempt), each.not_before);
    REQUIRE((ready == expected));
    for (const auto& [attempt, not_before] : ready)
      REQUIRE(again.input_of(attempt.first) == oracle_.input_of(attempt.first));
  }
}

RunState SimulatedRun::folded(const std::vector<JournalRow>& rows) const {
  RunState state(definition_, options_, 7, input_, DrivenRun::begin);
  for (const JournalRow& row : rows) {
    const auto taken = state.apply(row);
    REQUIRE_MESSAGE(taken.has_value(), to_string(taken.error()));
  }
  return state;
}

}  // namespace weir
