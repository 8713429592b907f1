#include "worker/attempts.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <ranges>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "step/settlement.hpp"

namespace weir {
namespace {

constexpr int priority_of_shares = 0;

// False: one was taken before.
bool close_gates(const std::vector<Flights::Flight>& flights) {
  bool all = true;
  for (const Flights::Flight& flight : flights) all = flight.attempt->gate.close() && all;
  return all;
}

AttemptResult timed_out(std::chrono::milliseconds timeout, std::string_view more) {
  return {.outcome = Outcome::timed_out,
          .error_code = "timed_out",
          .error = fmt::format("no result within {} ms{}", timeout.count(), more)};
}

AttemptResult stopped_by_skip() {
  return {.outcome = Outcome::cancelled,
          .error_code = "step_skipped",
          .error = "its step was skipped while this ran"};
}

std::size_t bytes_of(const AttemptResult& result) {
  return result.output ? result.output->text().size() : 0;
}

std::string_view slug_of(const Attempt& attempt) { return attempt.flow->definition.slug().view(); }

std::string_view step_of(const Attempt& attempt) {
  return attempt.flow->definition.steps()[attempt.task.step].slug.view();
}

// What a handler does that is told to stop and does not.
std::string_view ignores_stop(const Attempt& attempt) {
  return attempt.deferred.load(std::memory_order_acquire) != 0
             ? "ignores that it was told to stop and has not completed its deferred call"
             : "ignores its stop token and keeps its thread";
}

// When its handler began; the epoch when it did not.
Steady start_of(const Attempt& attempt) {
  return Steady(Steady::duration(attempt.started.load(std::memory_order_acquire)));
}

}  // namespace

Capacity Attempts::capacity() const {
  return {.slots = pace_.slots(),
          .blocked = pace_.blocked(),
          .window = pace_.window(),
          .in_flight = on_slots(),
          .due = loop_.runs.due(),
          .task_seconds = pace_.task_seconds(),
          .due_for_room = is_full() ? due_deferring() : 0,
          .defers = [this](const weir_step* step) { return across_.room.defers(step); },
          .crowded = crowded()};
}

// Those that are deferred and pending leave their slots to others.
void Attempts::note_deferred() {
  flights_.note_deferred([this](Attempt& attempt) {
    across_.room.note_deferred(attempt);
    // Not when the call ends: while none has ended, the next would begin as slowly as they wait.
    pace_.ran(Steady(Steady::duration(attempt.deferred.load(std::memory_order_acquire))) -
              start_of(attempt));
  });
}

bool Attempts::defers(const FlowHandle& flow, std::size_t step) const {
  return across_.room.defers(flow->steps[step]);
}

std::size_t Attempts::due_deferring(const OwnedRun& run) const {
  return run.due_of([&](std::size_t step) { return defers(run.flow(), step); });
}

std::size_t Attempts::due_deferring() const {
  return loop_.runs.due_of(
      [this](const OwnedRun& run, std::size_t step) { return defers(run.flow(), step); });
}

bool Attempts::waits_for_room(const OwnedRun& run) const {
  return is_full() && run.due() > 0 && due_deferring(run) == run.due();
}

std::size_t Attempts::startable() const {
  const std::size_t all = loop_.runs.due() + held_.waiting();
  if (!across_.room.knows_any()) return all;
  std::size_t deferring = due_deferring();
  held_.for_each_waiting(
      [&](const FlowHandle& flow, std::size_t step, VersionId, std::size_t count) {
        if (defers(flow, step)) deferring += count;
      });
  return all - deferring + (is_full() ? 0 : std::min(deferring, across_.room.places()));
}

std::set<VersionId> Attempts::crowded() const {
  if (!is_full()) return {};
  std::set<VersionId> versions = across_.room.given_back();
  for (const auto& [key, run] : std::as_const(loop_.runs))
    if (!run.leaving && due_deferring(run) > 0) versions.insert(run.version());
  held_.for_each_waiting(
      [&](const FlowHandle& flow, std::size_t step, VersionId version, std::size_t) {
        if (defers(flow, step)) versions.insert(version);
      });
  return versions;
}

void Attempts::give_back_crowded_shares(Steady now) {
  if (!is_full()) return;
  const auto which = [this](const FlowHandle& flow, std::size_t step) {
    return defers(flow, step);
  };
  for (const VersionId version : held_.give_back(which, now)) across_.room.note_given_back(version);
}

// A8: for each priority, how many calls a flow may have: what waits with a lower priority takes
// nothing from it.
std::map<int, std::size_t> Attempts::shares_of_room(
    const std::function<bool(const OwnedRun&)>& is_held) const {
  std::map<int, std::map<std::string_view, std::size_t>, std::greater<>> waiting;
  held_.for_each_waiting(
      [&](const FlowHandle& flow, std::size_t step, VersionId, std::size_t count) {
        if (defers(flow, step))
          waiting[priority_of_shares][flow->definition.slug().view()] += count;
      });
  for (const auto& [key, run] : std::as_const(loop_.runs)) {
    if (run.leaving || run.due() == 0) continue;
    const std::size_t due = due_deferring(run);
    if (due > 0 && !is_held(run))
      waiting[run.priority()][run.flow()->definition.slug().view()] += due;
  }
  std::map<int, std::size_t> shares;
  std::map<std::string_view, std::size_t> so_far;
  for (const auto& [priority, flows] : waiting) {
    for (const auto& [flow, count] : flows) so_far[flow] += count;
    shares.emplace(priority, across_.room.share_of_each(so_far));
  }
  return shares;
}

void Attempts::pick(const std::function<bool(const OwnedRun&)>& is_held, const Publish& started) {
  const Steady now = loop_.now();
  note_deferred();
  if (now > replied_at_ + begins_within) drop_begun();
  std::size_t window = large_.is_full() ? 0 : pace_.window();
  std::size_t busy = on_slots();
  if (any_started()) {
    const std::size_t unstated = std::min(pace_.batch(), starting_.size());
    window = std::min(window, busy + pace_.batch() - unstated);
  }
  if (busy < window) {
    std::map<int, std::size_t> shares;
    if (across_.room.knows_any()) shares = shares_of_room(is_held);
    const auto has_room = [&](int priority, std::string_view flow) {
      const auto share = shares.find(priority);
      return !is_full() && (share == shares.end() || across_.room.calls_of(flow) < share->second);
    };
    busy += pick_elements(
        window - busy,
        [&](const FlowHandle& flow, std::size_t step) {
          return !defers(flow, step) ||
                 has_room(priority_of_shares, flow->definition.slug().view());
        },
        now);
    std::optional<std::map<std::string_view, std::size_t>> on_slots_of;  // once several flows wait
    const auto take = [&](RunKey key, OwnedRun& run, const ReadyTask& task) {
      ++busy;
      if (on_slots_of) ++(*on_slots_of)[run.flow()->definition.slug().view()];
      started(key, run, task.task.step);
      begin(key, run, task, now);
    };
    RunBook::Choice choice{
        .is_held = is_held,
        .may_begin =
            [&](const OwnedRun& run, std::size_t step) {
              return !defers(run.flow(), step) ||
                     has_room(run.priority(), run.flow()->definition.slug().view());
            },
        .load =
            [&](std::string_view flow) {
              if (!on_slots_of) {
                on_slots_of.emplace();
                flights_.for_each_on_slots(
                    [&](const Attempt& attempt) { ++(*on_slots_of)[slug_of(attempt)]; });
              }
              return RunBook::Choice::Load((*on_slots_of)[flow], across_.room.calls_of(flow));
            }};
    loop_.runs.take_due(window - busy, choice, take);
    // What is left waits for room: nothing else could use the slots.
    if (const std::size_t half = pace_.slots() / 2; is_full() && busy < half && half <= window) {
      choice.may_begin = [](const OwnedRun&, std::size_t) { return true; };
      loop_.runs.take_due(half - busy, choice, take);
    }
  }
  start_begun();
}

std::size_t Attempts::pick_elements(std::size_t count, const HeldShares::WhichStep& may_begin,
                                    Steady now) {
  std::size_t picked = 0;
  for (; picked < count; ++picked) {
    auto element = held_.next(now, may_begin);
    if (!element) break;
    begin(std::move(element), now, starting_);
  }
  return picked;
}

// What was stated with a claim begins now. The rest of it does not: its run was cancelled, its flow
// paused, or its input is none.
void Attempts::start_begun() {
  drop_begun();
  if (stated_.empty()) return;
  slots_.start(std::exchange(stated_, {}));
  if (loop_.outbox.publishes_events()) loop_.outbox.hurry();
}

void Attempts::drop_begun() {
  if (!begun_.empty()) state_anew();
  begun_.clear();
}

void Attempts::begin(RunKey key, OwnedRun& run, const ReadyTask& task, Steady now) {
  auto attempt = std::make_shared<Attempt>();
  attempt->run = key;
  attempt->task = task.task;
  attempt->number = task.attempt;
  attempt->flow = run.flow();
  attempt->plugin = run.plugin();
  attempt->step = run.flow()->steps[task.task.step];
  attempt->options = run.state().options(task.task.step);
  attempt->input = run.state().input_of(task.task);
  attempt->run_id = run.id();
  attempt->flow_input = run.state().input();
  attempt->not_before = task.not_before;
  ++run.in_flight;
  const bool stated = task.attempt == 1 && begun_.erase({key, task.task.step}) > 0;
  begin(std::move(attempt), now, stated ? stated_ : starting_);
}

void Attempts::begin(std::shared_ptr<Attempt> attempt, Steady now,
                     std::vector<std::shared_ptr<Attempt>>& among) {
  attempt->ticket = across_.next_ticket++;
  attempt->worker = loop_.worker;
  attempt->chosen = now;
  attempt->clock = loop_.clock;
  if (across_.room.defers(attempt->step) && across_.room.places() > 0) across_.room.enter(*attempt);
  flights_.add(attempt);
  among.push_back(std::move(attempt));
}

void Attempts::collect(Steady now) {
  collect_finished();
  for (const std::uint64_t ticket : flights_.enforce(now)) {
    const auto flight = flights_.take(ticket);
    Attempt& attempt = *flight->attempt;
    abandon(attempt);
    settle(*flight,
           flight->timed_out
               ? timed_out(attempt.options.timeout, fmt::format("; it {}", ignores_stop(attempt)))
               : stopped_by_skip(),
           now);
  }
  for (const auto& attempt : across_.ending.take_overdue(now)) abandon(*attempt);
  pace_.set_slots(loop_.options.slots - slots_.lost(), flights_.begun_by(now - Pace::long_task));
}

void Attempts::collect_finished() {
  auto ended = slots_.take_finished();
  note_deferred();  // also of those: before the room hears that they ended
  for (auto& attempt : ended) {
    const bool obeyed = across_.ending.note_returned(attempt->ticket);
    across_.room.note_ended(*attempt);
    finished_bytes_ += bytes_of(attempt->result);
    finished_.push_back({std::move(attempt), obeyed});
  }
  for (; !finished_.empty() && !loop_.outbox.is_full(); finished_.pop_front()) {
    Attempt& attempt = *finished_.front().attempt;
    finished_bytes_ -= bytes_of(attempt.result);
    if (attempt.deferred.load(std::memory_order_acquire) == 0)
      pace_.ran(attempt.ended - start_of(attempt));
    pace_.resulted(bytes_of(attempt.result));
    const auto flight = flights_.take(attempt.ticket);
    if (!flight) {
      if (finished_.front().obeyed)
        loop_.log.debug("run {}: {}.{} stopped as it was told", attempt.run_id, slug_of(attempt),
                        step_of(attempt));
      else
        loop_.log.warn("run {}: the late result of {}.{} is refused", attempt.run_id,
                       slug_of(attempt), step_of(attempt));
      continue;
    }
    if (attempt.given_back && !flight->timed_out) {
      make_due(*flight, attempt.ended);
      state_anew();
      continue;
    }
    settle(*flight, std::move(attempt.result), attempt.ended);
  }
}

void Attempts::abandon(Attempt& attempt) {
  across_.room.note_over(attempt);
  loop_.log.warn("run {}: {}.{} {}", attempt.run_id, slug_of(attempt), step_of(attempt),
                 ignores_stop(attempt));
  slots_.abandon(attempt);
}

std::optional<Steady> Attempts::due_at(Steady now) const {
  const auto timeout = flights_.next_limit(now), grace = across_.ending.next_limit(now);
  return timeout && grace ? std::min(*timeout, *grace) : timeout ? timeout : grace;
}

// Whether others have room is not asked. Who has room claims what is given back, and that may be
// this worker again; it costs an exchange and no attempt.
void Attempts::take_back_waiting(Steady now) {
  const bool drains = loop_.is_draining();
  const std::size_t window = drains ? 0 : pace_.window();
  if (!drains && !flights_.any_waits_since(now - Pace::waits_max)) return;
  constexpr auto any = [](const Attempt&) { return true; };
  std::vector<Flights::Flight> taken;
  for (std::size_t busy = on_slots(); busy > window; busy = on_slots()) {
    const auto withdrawn = slots_.withdraw(busy - window, any);
    if (withdrawn.empty()) break;
    for (const auto& attempt : withdrawn) {
      if (auto flight = flights_.take(attempt->ticket))
        taken.push_back(*std::move(flight));
      else
        across_.ending.note_returned(attempt->ticket);
      across_.room.leave(*attempt);
    }
  }
  for (const Flights::Flight& flight : taken | std::views::reverse)  // as they were due
    make_due(flight, now);
  if (!taken.empty()) state_anew();
}

void Attempts::make_due(const Flights::Flight& flight, Steady now) {
  Attempt& attempt = *flight.attempt;
  if (attempt.share != 0) return held_.put_back(attempt);
  if (flight.stopped_at) {  // it is not needed any more
    settle(flight, {.outcome = Outcome::failed, .error_code = "cancelled"}, now);
    return;
  }
  OwnedRun& run = loop_.runs.at(attempt.run);
  run.note_ended_attempts(1);
  run.make_due({attempt.task, attempt.number, attempt.not_before});
}

void Attempts::settle(const Flights::Flight& flight, AttemptResult result, Steady ended) {
  const Attempt& attempt = *flight.attempt;
  OwnedRun* const run = attempt.share == 0 ? &loop_.runs.at(attempt.run) : nullptr;
  if (flight.timed_out && result.outcome != Outcome::timed_out)
    result = timed_out(attempt.options.timeout, "");
  const bool settles = !flight.attempt->gate.close();  // in its handler's own transaction (C9)
  if (settles && result.outcome == Outcome::completed)
    result = not_settled();
  else if (run != nullptr && !flight.timed_out && result.outcome != Outcome::completed &&
           (flight.stopped_at || (!run->state().end() && !run->state().still_needed(attempt.task))))
    result = stopped_by_skip();
  JournalRow row = run != nullptr
                       ? run->state().make_row(attempt.task, attempt.number, std::move(result))
                       : HeldShares::row_of(attempt, std::move(result));
  // The clock may have moved.
  row.started_at = std::max(loop_.clock.at(start_of(attempt)), attempt.not_before);
  row.ended_at = std::max(loop_.clock.at(ended), row.started_at);
  // A shared element need not be resolved: if its row is already committed, settle_share() finds
  // that.
  if (settles && run != nullptr) return settling_.add(flight.attempt, std::move(row));
  loop_.log_failure(attempt.run_id, attempt.flow->definition, row);
  if (large_.is_large(row))
    return large_.write(loop_.worker, {attempt.run, std::move(row), attempt.plugin},
                        flight.attempt);
  if (run == nullptr) return held_.settle(attempt, std::move(row), loop_.now());
  run->note_ended_attempts(1);
  loop_.journal(attempt.run, *run, std::move(row), attempt.plugin);
}

// The row is in the journal already; either the handler's transaction or resolve() wrote it.
Result<void> Attempts::resolve(Steady now) {
  return settling_.resolve(loop_.worker, now, loop_.store,
                           [this](const Attempt& attempt, const JournalRow& row) {
                             OwnedRun& run = loop_.runs.at(attempt.run);
                             loop_.log_failure(attempt.run_id, attempt.flow->definition, row);
                             fold_journaled(run, row);
                           });
}

void Attempts::note_written(OwnedRun& run, const JournalRow& row, bool stored) {
  if (stored)
    fold_journaled(run, row);
  else
    run.note_ended_attempts(1);
}

void Attempts::note_shared(const std::shared_ptr<Attempt>& attempt, JournalRow row,
                           const Result<void>& written) {
  if (!written && written.error().code == ErrorCode::lease_lost && held_.doubt(attempt->share))
    return large_.write(loop_.worker, {attempt->run, std::move(row), attempt->plugin}, attempt);
  held_.note_written(*attempt, std::move(row), written, loop_.now());
}

void Attempts::fold_journaled(OwnedRun& run, const JournalRow& row) {
  run.note_ended_attempts(1);
  if (run.broken) return;  // its state takes no more rows
  const auto folded = run.apply(row);
  WEIR_ASSERT(folded.has_value());
}

JournalRow Attempts::cancelled(const Attempt& attempt, Time now) const {
  const Steady started = start_of(attempt);
  return {.task = attempt.task,
          .attempt = attempt.number,
          .outcome = Outcome::cancelled,
          .error_code = "run_ended",
          .error = "the run ended while this ran",
          .started_at = started == Steady{} ? now : std::min(now, loop_.clock.at(started)),
          .ended_at = now};
}

void Attempts::cancel_run(RunKey key, OwnedRun& run, Time now) {
  if (run.in_flight == 0) return;
  for (const Flights::Flight& flight : flights_.take_run(key, loop_.now())) {
    JournalRow row = cancelled(*flight.attempt, now);
    if (!flight.attempt->gate.close()) {
      settling_.add(flight.attempt, std::move(row));
      continue;
    }
    run.note_ended_attempts(1);
    loop_.outbox.settle(key, std::move(row), run.plugin());
  }
  for (const auto& attempt : large_.withdraw(key)) {
    run.note_ended_attempts(1);
    if (attempt) loop_.outbox.settle(key, cancelled(*attempt, now), run.plugin());
  }
}

void Attempts::forget_run(RunKey key, OwnedRun& run) {
  if (run.in_flight == 0) return;
  for (const Flights::Flight& flight : flights_.take_run(key, loop_.now()))
    if (flight.attempt->gate.close())
      run.note_ended_attempts(1);
    else
      settling_.add(flight.attempt, cancelled(*flight.attempt, loop_.database_now()));
  run.note_ended_attempts(large_.withdraw(key).size());
}

void Attempts::forget_share(ShareId share) {
  // Where one was taken, its settlement names a share that is lost.
  static_cast<void>(close_gates(flights_.take_share(share, loop_.now())));
  state_anew();
  forget_starting([&](const Attempt& attempt) { return attempt.share == share; });
  large_.withdraw_share(share);
}

bool Attempts::drop_run(RunKey key) {
  forget_starting([&](const Attempt& attempt) { return attempt.run == key && attempt.share == 0; });
  return close_gates(flights_.take_run(key, loop_.now()));
}

void Attempts::never_begins(Attempt& attempt) {
  across_.ending.note_returned(attempt.ticket);
  across_.room.leave(attempt);
}

void Attempts::forget_starting(const std::function<bool(const Attempt&)>& dropped) {
  const auto is_dropped = [&](const auto& attempt) {
    if (!dropped(*attempt)) return false;
    never_begins(*attempt);
    return true;
  };
  std::erase_if(starting_, is_dropped);
  std::erase_if(sent_, is_dropped);
}

void Attempts::stop_unneeded(RunKey key, const OwnedRun& run) {
  flights_.stop_if(key, [&](TaskId task) { return !run.state().still_needed(task); }, loop_.now());
}

std::vector<InFlightTask> Attempts::stated() const {
  std::vector<InFlightTask> stated = flights_.stated();
  settling_.state(stated);
  large_.state(stated);
  held_.state(stated);
  return stated;
}

void Attempts::drop_others(std::vector<InFlightTask>& sent) const {
  const std::vector<InFlightTask> in_flight = stated();
  std::erase_if(sent, [&](const InFlightTask& task) {
    return std::ranges::find(in_flight, task) == in_flight.end() &&
           std::ranges::none_of(loop_.outbox.request().settled, [&](const SettledAttempt& each) {
             return each.run == task.run && each.row.task == task.task &&
                    each.row.attempt == task.attempt;
           });
  });
}

// What is not in flight any more is stated with the next exchange, which does not wait.
void Attempts::state_anew() {
  states_too_much_ = true;
  loop_.outbox.hurry();
}

void Attempts::doubt_shares() {
  held_.doubt_all();
  if (held_.in_doubt()) put_off_shares();
}

// Elements of shares that may be lost do not begin: others may have them.
void Attempts::put_off_shares() {
  constexpr auto is_shared = [](const Attempt& attempt) { return attempt.share != 0; };
  const auto put_off = [this](Attempt& attempt) {
    if (flights_.take(attempt.ticket)) {
      held_.put_off(attempt);
      state_anew();
    }
    never_begins(attempt);
  };
  std::erase_if(sent_, [&](const auto& attempt) {
    if (!is_shared(*attempt)) return false;
    put_off(*attempt);
    return true;
  });
  for (const auto& attempt : slots_.withdraw(std::numeric_limits<std::size_t>::max(), is_shared))
    put_off(*attempt);
}

void Attempts::note_sent() {
  WEIR_ASSERT(sent_.empty());
  states_too_much_ = false;
  begun_.clear();
  std::swap(sent_, starting_);
}

void Attempts::start_stated() {
  replied_at_ = loop_.now();
  if (held_.in_doubt()) put_off_shares();
  if (!sent_.empty()) slots_.start(std::exchange(sent_, {}));
}

void Attempts::forget() {
  flights_.forget(loop_.now());
  settling_.forget();
  large_.forget();
  for (const auto* const never_begun : {&starting_, &sent_})
    for (const auto& attempt : *never_begun) never_begins(*attempt);
  for (const Finished& each : finished_) across_.ending.note_returned(each.attempt->ticket);
  starting_.clear();
  sent_.clear();
  begun_.clear();
  finished_.clear();
  finished_bytes_ = 0;
}

}  // namespace weir
