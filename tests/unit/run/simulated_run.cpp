#include "unit/run/simulated_run.hpp"

#include <algorithm>
#include <iterator>
#include <source_location>

#include <doctest/doctest.h>
#include <fmt/core.h>

namespace weir {
namespace {

void fail(const std::source_location& where, std::string_view why) {
  const std::string message = fmt::format("{}:{}: {}", where.file_name(), where.line(), why);
  FAIL(message);
}

// A REQUIRE that costs nothing while it holds: there are thousands in a run.
void hold(bool fact, std::source_location where = std::source_location::current()) {
  if (!fact) fail(where, "what was required does not hold");
}

void taken(const Result<void>& folded,
           std::source_location where = std::source_location::current()) {
  if (!folded) fail(where, to_string(folded.error()));
}

// The parts of a state that a worker acts on.
std::map<std::pair<TaskId, int>, Time> ready_of(RunState& state) {
  std::map<std::pair<TaskId, int>, Time> ready;
  for (const ReadyTask& each : state.take_ready())
    hold(ready.emplace(std::pair(each.task, each.attempt), each.not_before).second);
  return ready;
}

std::map<std::size_t, Time> waits_of(const RunState& state) {
  std::map<std::size_t, Time> waits;
  for (const OpenWait& each : state.waits()) hold(waits.emplace(each.step, each.until).second);
  return waits;
}

std::map<std::size_t, std::pair<std::string, Time>> skips_of(RunState& state) {
  std::map<std::size_t, std::pair<std::string, Time>> skips;
  for (const JournalRow& each : state.take_skips())
    hold(skips.emplace(each.task.step, std::pair(each.error_code, each.ended_at)).second);
  return skips;
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
      oracle_(definition, options_, input_),
      is_restless_(one_in(10, random)) {}

void SimulatedRun::live() {
  do live_until_end();
  while (retry());
}

void SimulatedRun::live_until_end() {
  constexpr int turns_max = 200'000;
  gather();
  for (int turn = 0; !state_.end(); ++turn) {
    hold(turn < turns_max);  // every run ends
    const std::size_t choice = below(64, random_);
    if (choice == 0 || (is_restless_ && choice >= 56))
      crash();
    else if (choice == 1)
      offer_impossible_row();
    else if (choice == 2)
      cancel();
    else if (choice < 8)
      pass_time();
    else if (choice < 12)
      end_wait();
    else if (choice < 32)
      start();
    else
      for (std::size_t rows = 1 + below(3, random_); rows > 0; --rows) settle();
    gather();
  }
  end();
}

// What a worker asks for after it has folded some rows.
void SimulatedRun::gather() {
  oracle_.decide();
  take_skips();
  take_step_ends();
  take_ready();
  hold(state_.end().has_value() == oracle_.status().has_value());
  if (state_.end()) return;
  auto expected = oracle_.ready();
  for (const auto& [attempt, not_before] : waiting_) hold(expected.erase(attempt) == 1);
  for (const auto& [attempt, not_before] : in_flight_)
    hold(state_.still_needed(attempt.first) == (expected.erase(attempt) == 1));
  hold(expected.empty());
  std::set<std::size_t> waits;
  for (const auto& [step, until] : waits_of(state_)) waits.insert(step);
  hold(waits == oracle_.waits());
  // Nothing to do and nothing under way would be a run that never ends.
  hold(!waiting_.empty() || !in_flight_.empty() || !waits.empty());
}

void SimulatedRun::take_ready() {
  std::erase_if(waiting_,
                [&](const auto& each) { return oracle_.is_skipped(each.first.first.step); });
  for (const auto& [attempt, not_before] : ready_of(state_)) {
    const auto& [task, number] = attempt;
    hold(definition_.steps()[task.step].kind != StepKind::wait);
    hold(number == oracle_.attempts(task) + 1);
    hold(state_.input_of(task) == oracle_.input_of(task));
    hold(!in_flight_.contains(attempt));
    hold(waiting_.emplace(attempt, not_before).second);
  }
}

void SimulatedRun::take_skips() {
  for (JournalRow& row : state_.take_skips()) {
    hold(row.task.index == 0 && row.attempt == 0 && row.outcome == Outcome::skipped);
    hold(oracle_.skips().at(row.task.step) == row.error_code);
    journal_.push_back(std::move(row));
  }
  const auto rows = std::ranges::count(journal_, Outcome::skipped,
                                       [](const JournalRow& row) { return row.outcome; });
  hold(static_cast<std::size_t>(rows) == oracle_.skips().size());
}

// E1: each step ends once, and behind what it depends on.
void SimulatedRun::take_step_ends() {
  for (const auto& [step, kind] : state_.take_step_ends()) {
    if (kind == StepEnd::Kind::failed) {
      hold(oracle_.may_fail_with(step));
      continue;
    }
    hold(ended_.insert(step).second);
    hold(oracle_.is_skipped(step) == (kind == StepEnd::Kind::skipped));
    const auto& parents = definition_.steps()[step].depends_on;
    const auto has_ended = [&](std::size_t each) { return ended_.contains(each); };
    if (oracle_.is_skipped(step) && oracle_.skips().at(step) == "dependency_skipped")
      hold(std::ranges::any_of(parents, has_ended));
    else
      hold(std::ranges::all_of(parents, has_ended));
  }
  for (std::size_t step = 0; step < definition_.steps().size(); ++step)
    hold(oracle_.has_ended(step) == ended_.contains(step));
}

void SimulatedRun::start() {
  if (waiting_.empty()) return;
  const auto chosen = any_of(waiting_, random_);
  if (chosen->second > now_) return;
  in_flight_.insert(waiting_.extract(chosen));
}

void SimulatedRun::settle() {
  if (in_flight_.empty()) return;
  const Attempt attempt = any_of(in_flight_, random_)->first;
  settle(attempt, random_result(attempt.first));
  if (one_in(32, random_)) agree_with_folds();
}

// Of a step that was skipped meanwhile too: its row says what was, and counts for nothing.
void SimulatedRun::settle(Attempt attempt, AttemptResult result) {
  JournalRow row = state_.make_row(attempt.first, attempt.second, std::move(result));
  // Other workers' clocks, and slots that were slow to tell, do not go by the order of commits.
  row.started_at = row.ended_at = now_ - std::chrono::microseconds(below(1'000, random_));
  taken(state_.apply(row));
  in_flight_.erase(attempt);
  oracle_.add(row);
  journal_.push_back(std::move(row));
}

// C4: by a signal at any time, or because its time is over.
void SimulatedRun::end_wait() {
  const auto waits = waits_of(state_);
  if (waits.empty()) return;
  const auto [step, until] = *any_of(waits, random_);
  std::optional<Json> payload;
  if (until > now_ || one_in(2, random_)) payload = random_json(random_);
  settle({{step, 0}, 1}, {.output = wait_output(payload)});
}

AttemptResult SimulatedRun::random_result(TaskId task) {
  const StepDefinition& step = definition_.steps()[task.step];
  AttemptResult result;
  if (one_in(6, random_)) {
    result.outcome = one_in(8, random_) || step.kind == StepKind::flow ? Outcome::failed_for_good
                     : one_in(2, random_)                              ? Outcome::timed_out
                                                                       : Outcome::failed;
    result.error = "boom";
    if (one_in(4, random_)) result.retry_after = std::chrono::milliseconds(below(5'000, random_));
    return result;
  }
  const bool list = std::ranges::any_of(step.dependents, [&](std::size_t each) {
    return definition_.steps()[each].kind == StepKind::map;
  });
  result.output = list && !one_in(50, random_) ? random_array(random_) : random_json(random_);
  return result;
}

void SimulatedRun::pass_time() {
  now_ += std::chrono::microseconds(below(1'000, random_));
  if (!in_flight_.empty()) return;
  Time next = Time::max();
  for (const auto& [attempt, not_before] : waiting_) next = std::min(next, not_before);
  for (const auto& [step, until] : waits_of(state_)) next = std::min(next, until);
  if (next != Time::max()) now_ = std::max(now_, next);
}

// The worker is gone. What it had in flight was given back uncharged, or is lost with it; the next
// one reads the journal, perhaps with other options.
void SimulatedRun::crash() {
  agree_with_folds();
  const bool drained = one_in(2, random_);
  for (const auto& [attempt, not_before] : in_flight_) {
    const bool is_child = definition_.steps()[attempt.first.step].kind == StepKind::flow;
    if (drained || is_child) continue;
    JournalRow row{.task = attempt.first, .attempt = attempt.second, .outcome = Outcome::lost};
    row.started_at = row.ended_at = now_;
    oracle_.add(row);
    journal_.push_back(std::move(row));
  }
  in_flight_.clear();
  waiting_.clear();
  ended_.clear();
  if (one_in(8, random_))
    for (StepOptions& each : options_)
      each.max_attempts = 1 + static_cast<std::int64_t>(below(4, random_));
  oracle_.set_options(options_);
  state_ = folded(one_in(2, random_) ? journal_ : by_key(journal_));
}

void SimulatedRun::offer_impossible_row() {
  const std::size_t steps = definition_.steps().size();
  JournalRow row{.task = {}, .output = Json::array({})};
  if (!journal_.empty() && one_in(2, random_)) {
    row = *any_of(journal_, random_);  // once more
  } else {
    row.task.step = below(steps + 1, random_);
    const std::size_t count = row.task.step < steps ? oracle_.task_count(row.task.step) : 0;
    row.task.index = below(count + 3, random_);
    if (row.task.index < count) row.attempt = oracle_.attempts(row.task) + 2;
  }
  const bool counts_for_nothing =
      row.task.step < steps && oracle_.is_skipped(row.task.step) && row.outcome != Outcome::skipped;
  const auto refused = state_.apply(row);
  hold(refused.has_value() == counts_for_nothing);
  if (!refused) hold(refused.error().code == ErrorCode::corrupt);
  agree_with_folds();
}

void SimulatedRun::cancel() {
  if (!one_in(8, random_)) return;
  state_.cancel("enough");
  oracle_.cancel();
  cancelled_ = true;
}

// F6: what ended in the same batch is still taken in, and whatever runs is cancelled.
void SimulatedRun::end() {
  const RunEnd first = *state_.end();
  hold(waits_of(state_).empty());
  while (!in_flight_.empty()) {
    const Attempt attempt = in_flight_.begin()->first;
    settle(attempt, one_in(2, random_)
                        ? random_result(attempt.first)
                        : AttemptResult{.outcome = Outcome::cancelled, .error = "the run ended"});
  }
  oracle_.decide();
  waiting_.clear();
  hold(state_.take_skips().empty());
  hold(state_.take_ready().empty());
  hold(state_.end().has_value());
  hold(state_.end()->status == first.status);
  hold(oracle_.status() == first.status);
  agree_with_folds();
  switch (first.status) {
    case RunStatus::completed:
      hold(first.output == oracle_.output());
      hold(first.note.empty() == (first.output != Json()));
      break;
    case RunStatus::failed:
      hold(state_.end()->failed_step.has_value());
      hold(oracle_.may_fail_with(*state_.end()->failed_step));
      break;
    case RunStatus::cancelled:
      hold(state_.end()->error == "enough");
  }
}

// C3, as weir.retry does it: the run goes on from what its journal holds.
bool SimulatedRun::retry() {
  if (state_.end()->status == RunStatus::completed || retries_left_ == 0 || one_in(2, random_))
    return false;
  --retries_left_;
  cancelled_ = false;
  for (JournalRow& row : oracle_.retry(now_)) {
    oracle_.add(row);
    journal_.push_back(std::move(row));
  }
  ended_.clear();
  state_ = folded(one_in(2, random_) ? journal_ : by_key(journal_));
  return true;
}

// A restart in this moment, by either order of rows, finds the same run.
void SimulatedRun::agree_with_folds() const {
  if (cancelled_) return;  // which no row says
  RunState now = state_;
  const auto skips = skips_of(now);
  const auto waits = waits_of(now);
  auto ready = waiting_;
  ready.insert(in_flight_.begin(), in_flight_.end());
  ready.merge(ready_of(now));
  std::erase_if(ready, [&](const auto& each) { return !now.still_needed(each.first.first); });
  for (const auto& rows : {journal_, by_key(journal_)}) {
    RunState again = folded(rows);
    hold(again.end().has_value() == now.end().has_value());
    hold(skips_of(again) == skips);
    hold(waits_of(again) == waits);
    hold(ready_of(again) == ready);
    if (!now.end()) continue;
    hold(again.end()->status == now.end()->status);
    hold(again.end()->output == now.end()->output);
    hold(again.end()->error == now.end()->error);
    hold(again.end()->note == now.end()->note);
    hold(again.end()->failed_step == now.end()->failed_step);
  }
}

RunState SimulatedRun::folded(const std::vector<JournalRow>& rows) const {
  RunState state(definition_, options_, 7, input_, DrivenRun::begin);
  for (const JournalRow& row : rows) taken(state.apply(row));
  return state;
}

}  // namespace weir
