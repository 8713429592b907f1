#include "trial/step_trial.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "base/log.hpp"
#include "step/attempt.hpp"
#include "step/settlement.hpp"

namespace weir {
namespace {

// Any UUID: a trial is not a run in a database.
constexpr std::string_view run_id = "00000000-0000-7000-8000-000000000000";

// No worker has this number: on a real database, what a trial settles fails.
constexpr WorkerId no_worker = -1;

// As a worker stops an attempt: what has not asked to settle it cannot any more.
void stop(Attempt& attempt) {
  attempt.gate.close();
  attempt.stop.cancel();
}

/// Threads: its own thread stops the attempt when the time is over; end() ends that thread.
class TimeLimit {
 public:
  TimeLimit(Attempt& attempt, std::chrono::milliseconds limit)
      : thread_([this, &attempt,
                 until = std::chrono::steady_clock::now() + limit](const std::stop_token& ended) {
          std::unique_lock lock(mutex_);
          if (changed_.wait_until(lock, ended, until, [] { return false; })) return;
          if (!ended.stop_requested()) stop(attempt);
        }) {}

  void end() {
    thread_.request_stop();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace

StepTrial::~StepTrial() {
  weir::Log silent;
  resources_.end(silent);
}

void StepTrial::line(const Attempt&, LogLevel level, std::string_view utf8) {
  if (!log_) return;
  const std::scoped_lock lock(log_mutex_);
  log_(level == LogLevel::debug  ? "debug"
       : level == LogLevel::info ? "info"
       : level == LogLevel::warn ? "warn"
                                 : "error",
       utf8);
}

void StepTrial::settlement(const Attempt&, std::string_view sql, std::string_view output) {
  const std::scoped_lock lock(settlements_mutex_);
  settlements_.outputs.emplace(sql, output);
}

bool StepTrial::commit(std::string_view sql) {
  const std::scoped_lock lock(settlements_mutex_);
  const auto found = settlements_.outputs.find(sql);
  if (found == settlements_.outputs.end() || settlements_.committed) return false;
  if (settlements_.attempt->stop.cancelled()) return false;
  Json output = Json::trusted(found->second);
  if (!settlements_.allowed(output)) return false;
  settlements_.committed = std::move(output);
  return true;
}

Duration StepTrial::passed() const {
  const std::scoped_lock lock(passed_mutex_);
  return std::chrono::duration_cast<Duration>(passed_);
}

bool StepTrial::pass(Attempt& attempt, std::chrono::nanoseconds duration) {
  {
    const std::scoped_lock lock(passed_mutex_);
    if (attempt.stop.cancelled()) return false;
    const std::chrono::nanoseconds left = attempt.options.timeout - passed_;
    passed_ += std::min(duration, left);
    if (duration < left) return true;
  }
  stop(attempt);
  return false;
}

AttemptResult StepTrial::call(TrialCall call) {
  Attempt attempt;
  attempt.run = ++calls_;  // so that no two attempts have the same settlement
  attempt.worker = call.settles ? no_worker : 0;
  attempt.task = call.task;
  attempt.number = call.number;
  attempt.flow = flow_;
  attempt.step = call.instead != nullptr ? call.instead : flow_->steps.at(call.task.step);
  attempt.options = call.options;
  attempt.input = std::move(call.input);
  attempt.flow_input = std::move(call.flow_input);
  attempt.run_id = run_id;
  {
    const std::scoped_lock lock(settlements_mutex_);
    settlements_ = {.attempt = &attempt, .allowed = std::move(call.settles)};
  }
  if (call.stopped) stop(attempt);
  TimeLimit limit(attempt, call.options.timeout);
  AttemptResult result =
      call_step(attempt, resources_, *this,
                [&](std::chrono::nanoseconds duration) { return pass(attempt, duration); });
  limit.end();
  // Nothing but a timeout stops a trial.
  const bool timed_out = attempt.stop.cancelled();
  took_ = passed();
  {
    const std::scoped_lock lock(passed_mutex_);
    passed_ = {};
  }
  Settlements settlements;
  {
    const std::scoped_lock lock(settlements_mutex_);
    settlements = std::exchange(settlements_, {});
  }
  settled_ = settlements.committed.has_value();
  if (settled_) return {.outcome = Outcome::completed, .output = std::move(settlements.committed)};
  if (timed_out)
    return {.outcome = Outcome::timed_out,
            .error_code = "timed_out",
            .error = fmt::format("no result within {} ms", call.options.timeout.count())};
  if (result.outcome == Outcome::completed && !attempt.gate.close()) return not_settled();
  return result;
}

}  // namespace weir
