#include "worker/run_advancer.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/core.h>

#include "base/assert.hpp"

namespace weir {
namespace {

EventKind event_kind(StepEnd::Kind kind) {
  return kind == StepEnd::Kind::completed ? EventKind::completed
         : kind == StepEnd::Kind::failed  ? EventKind::failed
                                          : EventKind::skipped;
}

EventKind event_kind(RunStatus status) {
  return status == RunStatus::completed ? EventKind::completed
         : status == RunStatus::failed  ? EventKind::failed
                                        : EventKind::cancelled;
}

bool is_refused(const Error& error) { return error.kind == "refused_value"; }

}  // namespace

void RunAdvancer::close_waits() {
  const Time now = loop_.database_now();
  std::vector<std::pair<RunKey, std::size_t>> late;
  for (const auto& [key, run] : loop_.runs)
    if (!run.leaving)
      for (const std::size_t step : run.late_waits(now)) late.emplace_back(key, step);
  if (late.empty()) return;
  auto closed = loop_.store.close_waits(loop_.worker, late);
  // The next exchange reports an error, if it persists.
  if (closed)
    for (auto& [wait, payload] : *closed)
      loop_.runs.at(wait.first).close_wait(wait.second, std::move(payload));
  for (const auto& wait : late)
    if (!closed || !closed->contains(wait)) loop_.runs.at(wait.first).note_unclosed_waits(now);
}

void RunAdvancer::advance(Steady steady_now) {
  waits_for_commit_ = false;
  const Time now = loop_.database_now();
  for (auto& [key, run] : loop_.runs) {
    if (loop_.outbox.is_full()) break;  // the others have their turn after the next exchange
    if (run.leaving) continue;
    advance(key, run, now);
    if (run.leaving || run.ending) continue;
    if (run.has_child_starts() && !is_held_(run, steady_now)) children_.request();
    if (run.in_flight > 0) continue;
    WEIR_ASSERT(!run.is_stuck());
    const bool may_go = loop_.trial ? run.due() == 0 && !loop_.trial->has(key) : run.parks(now);
    if (!may_go && !loop_.is_draining() && !is_held_(run, steady_now)) continue;
    release(key, run);
  }
}

void RunAdvancer::release(RunKey key, OwnedRun& run) {
  loop_.outbox.release(key, run.sleeps_until());
  run.leaving = true;
}

void RunAdvancer::give_back(std::size_t count) {
  loop_.runs.give_back(count, loop_.database_now(),
                       [this](RunKey key, OwnedRun& run) { release(key, run); });
}

void RunAdvancer::give_back_crowded() {
  const Time now = loop_.database_now();
  for (auto& [key, run] : loop_.runs) {
    if (run.leaving || !run.waits_for_slot(now) || !attempts_.waits_for_room(run)) continue;
    attempts_.room().note_given_back(run.version());
    release(key, run);
  }
}

void RunAdvancer::advance(RunKey key, OwnedRun& run, Time now) {
  if (run.broken) return end_broken(key, run);
  for (bool progressed = true; progressed;) {
    auto [changed, skips] = run.refresh(now);
    if (!skips.empty()) attempts_.stop_unneeded(key, run);
    for (JournalRow& skip : skips) loop_.outbox.settle(key, std::move(skip), std::nullopt);
    if (changed) publish_steps(key, run);
    if (run.state().end()) return end_run(key, run, now);
    progressed = false;
    for (JournalRow& wait : run.ended_waits(now)) {
      loop_.journal(key, run, std::move(wait), std::nullopt);
      progressed = true;
    }
    for (const auto& [task, end] : run.take_child_ends()) {
      const StepDefinition& step = run.flow()->definition.steps()[task.task.step];
      settle_child(key, run, task, ChildRuns::result_of(end, step.child->view()), now);
      progressed = true;
    }
  }
}

void RunAdvancer::publish_steps(RunKey key, OwnedRun& run) {
  const auto ends = run.take_step_ends();
  if (!loop_.outbox.publishes_events()) return;
  for (const StepEnd& end : ends) loop_.outbox.publish(key, run, event_kind(end.kind), end.step);
  for (const OpenWait& wait : run.waits()) publish_started(key, run, wait.step);
}

void RunAdvancer::publish_started(RunKey key, OwnedRun& run, std::size_t step) {
  if (loop_.outbox.publishes_events() && run.mark_started(step))
    loop_.outbox.publish(key, run, EventKind::started, step);
}

// F6: attempts that are still in flight end as cancelled in the same commit. Those that a handler
// may settle in its own transaction are resolved first.
void RunAdvancer::end_run(RunKey key, OwnedRun& run, Time now) {
  run.ending = true;
  attempts_.cancel_run(key, run, now);
  const RunEnd& end = *run.state().end();
  if (close(key, run, end)) loop_.outbox.publish(key, run, event_kind(end.status));
}

// Closes the run with the next exchange, unless an attempt of it has still to be resolved or written:
// then it stays owned and open (C9). Returns whether it did. A large output is written beside the
// exchanges, after everything else of the run, and never beside one that states attempts of it.
bool RunAdvancer::close(RunKey key, OwnedRun& run, const RunEnd& end) {
  if (attempts_.is_resolving(key)) return false;
  WEIR_ASSERT(run.in_flight == 0);
  const bool large = attempts_.large().is_large(end.output);
  if (large && (loop_.outbox.is_under_way() || loop_.outbox.has_news_of(key))) {
    waits_for_commit_ = true;
    loop_.outbox.hurry();
    return false;
  }
  run.leaving = true;
  if (large)
    attempts_.large().write(loop_.worker, EndedRun{key, end});
  else
    loop_.outbox.end(key, end, run.relations());
  return !large;
}

Result<void> RunAdvancer::take_written() {
  std::vector<LargeWrites::Written> all = attempts_.large().take_written();
  for (auto& [written, attempt] : all) {
    auto* const settled = std::get_if<SettledAttempt>(&written.write);
    if (attempt && attempt->share != 0) {
      attempts_.note_shared(attempt, std::move(settled->row), written.result);
      continue;
    }
    if (!written.result && !is_refused(written.result.error())) return written.result;
    if (settled != nullptr)
      Attempts::note_written(loop_.runs.at(settled->run), settled->row, written.result.has_value());
  }
  // Of a run that fails nothing else is left that was written.
  for (const auto& [written, attempt] : all) {
    if (attempt && attempt->share != 0) continue;
    const auto* const settled = std::get_if<SettledAttempt>(&written.write);
    const RunKey key = settled != nullptr ? settled->run : std::get<EndedRun>(written.write).run;
    const OwnedRun& run = loop_.runs.at(key);
    if (!written.result) {
      if (settled != nullptr && run.broken) continue;  // it fails already
      if (auto failed = fail_refused(key, written.result.error().message); !failed) return failed;
    } else if (settled == nullptr) {
      loop_.outbox.publish(key, run, event_kind(std::get<EndedRun>(written.write).end.status));
      loop_.outbox.hurry();
      loop_.runs.remove(key);
    }
  }
  return {};
}

// The end of a run as failed has no such value.
Result<void> RunAdvancer::fail_refused(RunKey key, const std::string& why) {
  OwnedRun& run = loop_.runs.at(key);
  const Error error{.code = ErrorCode::invalid_input,
                    .kind = "refused_value",
                    .message = fmt::format("the database cannot store a value of it: {}", why),
                    .hint = "let its steps return less, or another value"};
  if (run.broken) return std::unexpected(error);
  fail_run(key, run, error);
  return {};
}

void RunAdvancer::settle_child(RunKey key, OwnedRun& run, const ReadyTask& task,
                               AttemptResult result, Time now) {
  JournalRow row = run.state().make_row(task.task, task.attempt, std::move(result));
  row.started_at = std::min(task.not_before, now);
  row.ended_at = now;
  loop_.log_failure(run.id(), run.flow()->definition, row);
  if (attempts_.large().is_large(row)) {
    ++run.in_flight;
    return attempts_.large().write(loop_.worker, {key, std::move(row), std::nullopt}, nullptr);
  }
  loop_.journal(key, run, std::move(row), std::nullopt);
}

Result<void> RunAdvancer::start_child_runs() {
  if (loop_.is_draining()) return {};
  WEIR_ASSERT(loop_.outbox.request().settled.empty());
  const Steady now = loop_.now();
  return children_.start(
      loop_.worker, loop_.options.lease, now, loop_.runs,
      {.is_held = [&](const OwnedRun& run) { return is_held_(run, now); },
       .started = [this](RunKey key, OwnedRun& run,
                         std::size_t step) { publish_started(key, run, step); },
       .failed =
           [&](RunKey key, OwnedRun& run, const ReadyTask& task, AttemptResult result) {
             settle_child(key, run, task, std::move(result), loop_.clock.at(now));
           }});
}

void RunAdvancer::fold_shared_row(RunKey key, OwnedRun& run, const JournalRow& row) {
  if (run.leaving || run.broken) return;
  if (const auto folded = run.apply(row); !folded) fail_run(key, run, folded.error());
}

void RunAdvancer::fail_run(RunKey key, OwnedRun& run, const Error& why) {
  loop_.log.error("run {} cannot continue: {}", run.id(), to_string(why));
  attempts_.forget_run(key, run);
  loop_.outbox.forget_rows(key);
  run.ending = true;
  run.leaving = false;
  run.broken = RunEnd{.status = RunStatus::failed, .error = to_string(why)};
  end_broken(key, run);
}

void RunAdvancer::end_broken(RunKey key, OwnedRun& run) {
  if (close(key, run, *run.broken)) loop_.outbox.publish(key, run, EventKind::failed);
}

}  // namespace weir
