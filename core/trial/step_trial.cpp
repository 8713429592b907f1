#include "trial/step_trial.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "base/log.hpp"
#include "step/attempt.hpp"

namespace weir {
namespace {

// Any UUID: a trial is not a run in a database.
constexpr std::string_view run_id = "00000000-0000-7000-8000-000000000000";

/// Threads: its own thread cancels `stop` when the time is over; passed() ends that thread.
class TimeLimit {
 public:
  TimeLimit(Cancellation<>& stop, std::chrono::milliseconds limit)
      : thread_([this, &stop,
                 until = std::chrono::steady_clock::now() + limit](const std::stop_token& ended) {
          std::unique_lock lock(mutex_);
          if (changed_.wait_until(lock, ended, until, [] { return false; })) return;
          if (ended.stop_requested()) return;
          passed_ = true;
          stop.cancel();
        }) {}

  bool passed() {
    thread_.request_stop();
    thread_.join();
    return passed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool passed_ = false;  // used only by the thread until it is joined
  std::jthread thread_;
};

}  // namespace

StepTrial::~StepTrial() {
  weir::Log silent;
  resources_.end(silent);
}

void StepTrial::line(const Attempt&, LogLevel level, std::string_view utf8) {
  if (!log_) return;
  const std::scoped_lock lock(mutex_);
  log_(level == LogLevel::debug  ? "debug"
       : level == LogLevel::info ? "info"
       : level == LogLevel::warn ? "warn"
                                 : "error",
       utf8);
}

AttemptResult StepTrial::call(TrialCall call) {
  Attempt attempt;
  attempt.run = 1;
  attempt.task = call.task;
  attempt.number = call.number;
  attempt.flow = flow_;
  attempt.step = call.instead != nullptr ? call.instead : flow_->steps.at(call.task.step);
  attempt.options = call.options;
  attempt.input = std::move(call.input);
  attempt.flow_input = std::move(call.flow_input);
  attempt.run_id = run_id;
  if (call.stopped) attempt.stop.cancel();
  TimeLimit limit(attempt.stop, call.options.timeout);
  AttemptResult result = call_step(attempt, resources_, *this);
  if (!limit.passed() && !call.stopped) return result;
  return {.outcome = Outcome::timed_out,
          .error_code = "timed_out",
          .error = fmt::format("no result within {} ms", call.options.timeout.count())};
}

}  // namespace weir
