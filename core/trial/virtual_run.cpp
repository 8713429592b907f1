#include "trial/virtual_run.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "base/assert.hpp"

namespace weir {
namespace {

class VirtualRun {
 public:
  VirtualRun(const FlowDefinition& definition, std::vector<StepOptions> options, const Json& input,
             const VirtualEnvironment& environment)
      : environment_(environment), state_(definition, std::move(options), 1, input, Time{}) {}

  VirtualEnd run() && {
    while (!ended()) advance();
    done_.elapsed = now_ - Time{};
    for (const std::size_t left : running_) cancel(done_.attempts[left].row);
    done_.end = *state_.end();
    return std::move(done_);
  }

 private:
  struct EndingWait {
    std::size_t step = 0;
    Time at{};
    std::optional<Json> payload;
  };

  bool ended() {
    std::vector<JournalRow> skips = state_.take_skips();
    if (skips.empty()) return state_.end().has_value();
    for (JournalRow& skip : skips) done_.skips.push_back(std::move(skip));
    std::erase_if(running_, [&](std::size_t attempt) {
      JournalRow& row = done_.attempts[attempt].row;
      if (state_.end() || state_.still_needed(row.task)) return false;
      cancel(row);
      return true;
    });
    std::erase_if(waiting_, [&](const ReadyTask& task) { return !state_.still_needed(task.task); });
    return state_.end().has_value();
  }

  // Does what comes next in time: an attempt ends, a wait ends, or an attempt begins.
  void advance() {
    for (const ReadyTask& task : state_.take_ready()) waiting_.push_back(task);
    const auto next = std::ranges::min_element(waiting_, {}, &ReadyTask::not_before);
    const auto ending = std::ranges::min_element(
        running_, {}, [&](std::size_t attempt) { return done_.attempts[attempt].row.ended_at; });
    const std::optional<EndingWait> wait = next_wait();
    const auto comes_first = [&](Time at) {
      return (next == waiting_.end() || at <= next->not_before);
    };
    if (ending != running_.end()) {
      const Time at = done_.attempts[*ending].row.ended_at;
      if (comes_first(at) && (!wait || at <= wait->at)) {
        const std::size_t attempt = *ending;
        running_.erase(ending);
        return fold(done_.attempts[attempt].row);
      }
    }
    if (wait && comes_first(wait->at)) return end(*wait);
    WEIR_ASSERT(next != waiting_.end());
    const ReadyTask task = *next;
    waiting_.erase(next);
    begin(task);
  }

  std::optional<EndingWait> next_wait() {
    std::optional<EndingWait> first;
    for (const OpenWait& open : state_.waits()) {
      const Time began = waits_began_.try_emplace(open.step, now_).first->second;
      EndingWait wait{open.step, open.until, {}};
      if (const VirtualSignal* signal = environment_.signal(open.step))
        if (const Time sent = std::max(began, Time{} + signal->after); sent < open.until)
          wait = {open.step, sent, signal->payload};
      if (!first || wait.at < first->at) first = std::move(wait);
    }
    return first;
  }

  void end(const EndingWait& wait) {
    VirtualAttempt attempt;
    attempt.input = state_.input_of({wait.step, 0});
    attempt.row = {.task = {wait.step, 0},
                   .outcome = Outcome::completed,
                   .output = wait_output(wait.payload),
                   .started_at = waits_began_.at(wait.step),
                   .ended_at = std::max(now_, wait.at)};
    done_.attempts.push_back(attempt);
    fold(attempt.row);
  }

  void begin(const ReadyTask& task) {
    now_ = std::max(now_, task.not_before);
    const StepOptions& step = state_.options(task.task.step);
    VirtualAttempt attempt;
    attempt.input = state_.input_of(task.task);
    attempt.waited =
        task.attempt == 1 ? Duration(step.start_delay) : task.not_before - ended_.at(task.task);
    VirtualResult executed = environment_.execute(state_, task, task.not_before - Time{});
    attempt.row = state_.make_row(task.task, task.attempt, std::move(executed.result));
    attempt.row.started_at = task.not_before;
    const bool timed_out = attempt.row.outcome == Outcome::timed_out;
    attempt.row.ended_at = task.not_before + (timed_out ? step.timeout : executed.took);
    running_.push_back(done_.attempts.size());
    done_.attempts.push_back(std::move(attempt));
  }

  void fold(const JournalRow& row) {
    now_ = std::max(now_, row.ended_at);
    const auto folded = state_.apply(row);
    WEIR_ASSERT(folded.has_value());
    ended_[row.task] = row.ended_at;
  }

  void cancel(JournalRow& row) const {
    row = {
        .task = row.task,
        .attempt = row.attempt,
        .outcome = Outcome::cancelled,
        .error_code = state_.end() ? "run_ended" : "step_skipped",
        .error = state_.end() ? "the run ended while it ran" : "its step was skipped while it ran",
        .started_at = row.started_at,
        .ended_at = now_};
  }

  const VirtualEnvironment& environment_;
  RunState state_;
  VirtualEnd done_;
  Time now_{};
  std::vector<ReadyTask> waiting_;
  std::vector<std::size_t> running_;  // in done_.attempts
  std::map<TaskId, Time> ended_;
  std::map<std::size_t, Time> waits_began_;
};

}  // namespace

VirtualEnd run_virtually(const FlowDefinition& definition, std::vector<StepOptions> options,
                         const Json& input, const VirtualEnvironment& environment) {
  return VirtualRun(definition, std::move(options), input, environment).run();
}

}  // namespace weir
