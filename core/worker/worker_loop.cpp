#include "worker/worker_loop.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "store/flow_store.hpp"
#include "worker/away.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds poll_interval{1'000};  // in case a notification, which is a hint, is missing
constexpr milliseconds second_look{10};       // see take_over()
constexpr milliseconds retry_first{50};       // after the database did not answer
constexpr milliseconds retry_longest{2'000};
constexpr milliseconds nap_longest{60'000};

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

AttemptResult timed_out(milliseconds timeout, std::string_view more) {
  return {.outcome = Outcome::timed_out,
          .error_code = "timed_out",
          .error = fmt::format("no result within {} ms{}", timeout.count(), more)};
}

}  // namespace

WorkerLoop::WorkerLoop(const WorkerOptions& options, ServedFlows& flows, FlowWorkers::Place& place,
                       WorkerStore& store, StepRunner& slots, Log& log, Calls calls,
                       std::uint64_t& next_ticket)
    : options_(options),
      flows_(flows),
      store_(store),
      slots_(slots),
      log_(log),
      calls_(std::move(calls)),
      next_ticket_(next_ticket),
      events_(options.events ? *options.events : *RunEvents::of_this_process()),
      reader_(options, flows, place, store.flows(), log),
      pace_(options.slots),
      children_(store, log),
      offered_(store.shares(), log),
      held_(store.shares(), flows, log),
      duties_(duties()) {
  outbox_.request().lease = options_.lease;
  if (!options_.sweeps) sweep_at_ = Steady::max();
}

Result<WorkerLoop::Ended> WorkerLoop::run(WorkerId worker) {
  outbox_.request().worker = worker_ = worker;
  for (;;) {
    const Steady now = calls_.now();
    if (must_end(now)) break;
    if (const auto done = duties_.take_turns(now); !done) return abandon(done.error());
    if (drain_until_ && runs_.empty() && held_.empty()) break;
    if (!quiet_ || outbox_.is_pressing()) continue;
    wait(now);
  }
  const std::size_t given_back = runs_.size();
  forget();
  if (const auto left = store_.leave(worker); !left) return std::unexpected(left.error());
  log_.info("worker {} left and released {} unfinished run{}", worker, given_back,
            given_back == 1 ? "" : "s");
  return Ended::drained;
}

// Each is due by itself at what it waits for; what slots, other threads and the database report
// wakes the loop.
std::vector<Duty> WorkerLoop::duties() {
  const auto unless_draining = [this](std::optional<Steady> due) {
    return drain_until_ ? std::nullopt : due;
  };
  const auto done = [](auto&& act) {
    return [act](Steady now) -> Result<void> {
      act(now);
      return {};
    };
  };
  const auto never = [](Steady) -> std::optional<Steady> { return std::nullopt; };
  return {
      {"end of draining", done([](Steady) {}),  // run() looks at it before each round
       [this](Steady) { return drain_until_; }},
      {"sweep", done([this](Steady now) { sweep(now); }),
       [this](Steady) -> std::optional<Steady> { return sweep_at_; }},
      {"flows", done([this](Steady now) { read_flows(now); }),
       [=, this](Steady) { return unless_draining(reader_.due_at()); }},
      {"attempts", done([this](Steady now) { collect(now); }),
       [this](Steady) { return flights_.next_limit(); }},
      {"settlements", [this](Steady now) { return resolve(now); },
       [this](Steady) { return settling_.due_at(); }},
      {"shares held", done([this](Steady now) { take_shares(now); }),
       [this](Steady) -> std::optional<Steady> {
         return held_.next_turn(capacity(), takes_shares());
       }},
      {"shares offered", done([this](Steady now) { offer_shares(now); }),
       [=, this](Steady) { return unless_draining(offered_.next_turn()); }},
      {"waits", done([this](Steady) { close_waits(); }), never},  // due as their runs are
      {"runs", done([this](Steady now) { advance_runs(now); }),
       [this](Steady now) { return steady(runs_.wakes_at(), now); }},
      {"tasks", done([this](Steady) { pick(); }), never},  // due as their runs are
      {"exchange", [this](Steady now) { return exchange_if_needed(now); },
       [this](Steady now) -> std::optional<Steady> {
         if (room() == 0) return renew_at_;
         return std::min({renew_at_, poll_at_, steady(next_wake_at_, now).value_or(Steady::max())});
       }},
      // After the exchange, or where none is needed: never while a row is uncommitted (P1).
      {"child runs", [this](Steady) { return start_children(); },
       [=, this](Steady) { return unless_draining(children_.due_at()); }},
  };
}

// Sleeps until a duty is due, or something wakes the loop; takes note of what that was.
void WorkerLoop::wait(Steady now) {
  const bool ready = store_.wait(duties_.nap(now, nap_longest));
  if (store_.take_told()) {
    told_ = true;
    offered_.told();
    held_.told();
  }
  const bool called = calls_.called() || ready;
  if (called) held_.called();
  const bool due = next_wake_at_ && clock_.at(calls_.now()) >= *next_wake_at_;
  if (called || due || calls_.now() >= poll_at_) more_waits_ = true;
}

// A moment of the database's clock on this host's.
std::optional<Steady> WorkerLoop::steady(std::optional<Time> time, Steady now) const {
  if (!time) return std::nullopt;
  return now + std::min<Duration>(*time - clock_.at(now), nap_longest);
}

Result<void> WorkerLoop::exchange_if_needed(Steady now) {
  quiet_ = !has_news(now);
  return quiet_ ? Result<void>() : speak();
}

Result<WorkerLoop::Ended> WorkerLoop::abandon(const Error& error) {
  forget();
  if (error.code == ErrorCode::lease_lost) return Ended::lease_lost;
  return std::unexpected(error);
}

// Takes note of a request to drain, and returns whether the loop must end now.
bool WorkerLoop::must_end(Steady now) {
  const Wish wish = calls_.wish();
  if (wish != Wish::serve && !drain_until_) drain_until_ = now + options_.drain_timeout;
  return drain_until_ && (wish == Wish::stop_now || now >= *drain_until_);
}

void WorkerLoop::read_flows(Steady now) {
  if (calls_.flows_changed()) reader_.call(now);
  if (drain_until_) return;
  if (auto claimable = reader_.read(worker_, now)) {
    outbox_.request().versions = *std::move(claimable);
    more_waits_ = true;
  }
}

// Whether no task of the run may start: it ends, its plugin is in quarantine, or its flow is paused
// (C2).
bool WorkerLoop::is_held(const OwnedRun& run, Steady now) const {
  return run.ending || paused_.contains(run.version()) || reader_.is_barred(run.flow(), now);
}

// Settles attempts that slots have finished and attempts that timed out.
void WorkerLoop::collect(Steady now) {
  for (auto& attempt : slots_.take_finished()) finished_.push_back(std::move(attempt));
  for (; !finished_.empty() && !outbox_.is_full(); finished_.pop_front()) {
    Attempt& attempt = *finished_.front();
    const Steady started(Steady::duration(attempt.started.load(std::memory_order_acquire)));
    pace_.ran(attempt.ended - started);
    const auto flight = flights_.take(attempt.ticket);
    if (!flight) {
      log_.warn("run {}: the late result of {}.{} is refused", attempt.run_id,
                attempt.flow->definition.slug().view(),
                attempt.flow->definition.steps()[attempt.task.step].slug.view());
      continue;
    }
    settle(*flight, std::move(attempt.result), attempt.ended);
  }
  for (const std::uint64_t ticket : flights_.enforce(now)) {
    const auto flight = flights_.take(ticket);
    log_.warn("run {}: {}.{} ignores its stop token and keeps its thread", flight->attempt->run_id,
              flight->attempt->flow->definition.slug().view(),
              flight->attempt->flow->definition.steps()[flight->attempt->task.step].slug.view());
    slots_.abandon(*flight->attempt);
    settle(*flight,
           timed_out(flight->attempt->options.timeout,
                     "; it ignores its stop token and keeps its thread"),
           now);
  }
}

void WorkerLoop::settle(const Flights::Flight& flight, AttemptResult result, Steady ended) {
  const Attempt& attempt = *flight.attempt;
  OwnedRun* const run = attempt.share == 0 ? &runs_.at(attempt.run) : nullptr;
  if (flight.timed_out_at && result.outcome != Outcome::timed_out)
    result = timed_out(attempt.options.timeout, "");
  const bool settles = !flight.attempt->gate.close();  // in its handler's own transaction (C9)
  if (settles && result.outcome == Outcome::completed)
    result = {.outcome = Outcome::failed,
              .error_code = "not_settled",
              .error = "the step returned without committing the settlement it requested"};
  else if (run != nullptr && !flight.timed_out_at && result.outcome != Outcome::completed &&
           !run->state().end() && !run->state().still_needed(attempt.task))
    result = {.outcome = Outcome::cancelled,
              .error_code = "step_skipped",
              .error = "its step was skipped while this ran"};
  JournalRow row = run != nullptr
                       ? run->state().make_row(attempt.task, attempt.number, std::move(result))
                       : HeldShares::row_of(attempt, std::move(result));
  const Steady started(Steady::duration(attempt.started.load(std::memory_order_acquire)));
  row.started_at = std::max(clock_.at(started), attempt.not_before);  // the clock may have moved
  row.ended_at = std::max(clock_.at(ended), row.started_at);
  // A shared element need not be resolved: if its row is already committed, settle_share() finds
  // that.
  if (settles && run != nullptr) return settling_.add(flight.attempt, std::move(row));
  log(attempt.run_id, attempt.flow->definition, row);
  if (run == nullptr) return held_.settle(attempt, std::move(row), calls_.now());
  --run->in_flight;
  const auto folded = run->apply(row);
  WEIR_ASSERT(folded.has_value());
  outbox_.settle(attempt.run, std::move(row), attempt.plugin);
}

void WorkerLoop::log(std::string_view run, const FlowDefinition& flow,
                     const JournalRow& row) const {
  if (row.outcome == Outcome::completed) return;
  log_.info("run {}: {}.{} attempt {} {}: {}", run, flow.slug().view(),
            flow.steps()[row.task.step].slug.view(), row.attempt, name(row.outcome), row.error);
}

// C9: the row is in the journal already; either the handler's transaction or resolve() wrote it.
Result<void> WorkerLoop::resolve(Steady now) {
  return settling_.resolve(worker_, now, store_,
                           [this](const Attempt& attempt, const JournalRow& row) {
                             OwnedRun& run = runs_.at(attempt.run);
                             --run.in_flight;
                             log(attempt.run_id, attempt.flow->definition, row);
                             const auto folded = run.apply(row);
                             WEIR_ASSERT(folded.has_value());
                           });
}

Capacity WorkerLoop::capacity() const {
  return {.slots = options_.slots,
          .window = pace_.window(),
          .under_way = flights_.size(),
          .due = runs_.due(),
          .task_seconds = pace_.task_seconds()};
}

// Only when there is nothing else to do: claiming runs comes first, and a request for shares must
// not delay an exchange. A worker that holds shares already may take more.
bool WorkerLoop::takes_shares() const {
  return !drain_until_ && (quiet_ || !held_.empty()) && !(more_waits_ && room() > 0);
}

// L7: what it holds of others' runs.
void WorkerLoop::take_shares(Steady now) {
  std::vector<VersionId> versions;
  const bool takes = takes_shares();
  if (!drain_until_ && (takes || !held_.empty()))
    for (const VersionId version : outbox_.request().versions)
      if (!paused_.contains(version)) versions.push_back(version);
  for (const ShareId share : held_.turn(worker_, now, versions, capacity(), takes))
    flights_.take_share(share);
  if (held_.take_doubt()) renew_at_ = now;  // the exchange shows whether the lease is lost
}

// L7: what it offers of its own runs.
void WorkerLoop::offer_shares(Steady now) {
  if (!drain_until_)
    offered_.turn(
        worker_, now, runs_, capacity(),
        [this](RunKey key, OwnedRun& run, const JournalRow& row) { fold_heard(key, run, row); });
  if (offered_.take_doubt()) renew_at_ = now;
}

void WorkerLoop::fold_heard(RunKey key, OwnedRun& run, const JournalRow& row) {
  if (run.leaving) return;
  if (const auto folded = run.apply(row); !folded) give_up(key, run, folded.error());
}

// Fails a run whose journal has a row that is impossible.
void WorkerLoop::give_up(RunKey key, OwnedRun& run, const Error& why) {
  log_.error("run {} cannot continue: {}", run.id(), to_string(why));
  static_cast<void>(flights_.take_run(key));  // their results will be refused
  run.in_flight = 0;
  outbox_.end(key, {.status = RunStatus::failed, .error = to_string(why)});
  run.leaving = true;
}

// Applies and journals a row that is not the result of a handler.
void WorkerLoop::journal(RunKey key, OwnedRun& run, JournalRow row) {
  const auto folded = run.apply(row);
  WEIR_ASSERT(folded.has_value());
  outbox_.settle(key, std::move(row), std::nullopt);
}

// C4: a signal is accepted until its wait is closed in the database.
void WorkerLoop::close_waits() {
  const Time now = clock_.at(calls_.now());
  std::vector<std::pair<RunKey, std::size_t>> late;
  for (const auto& [key, run] : runs_)
    if (!run.leaving)
      for (const std::size_t step : run.late_waits(now)) late.emplace_back(key, step);
  if (late.empty()) return;
  auto closed = store_.close_waits(worker_, late);
  if (!closed) return;  // the next exchange reports the error, if it persists
  for (auto& [wait, payload] : *closed)
    runs_.at(wait.first).close_wait(wait.second, std::move(payload));
}

// Closes runs that ended, and releases those that cannot or may not make progress for a while.
void WorkerLoop::advance_runs(Steady steady_now) {
  const Time now = clock_.at(calls_.now());
  for (auto& [key, run] : runs_) {
    if (run.leaving) continue;
    advance(key, run, now);
    if (run.leaving) continue;
    if (run.has_births() && !is_held(run, steady_now)) children_.call();
    if (run.in_flight > 0) continue;
    WEIR_ASSERT(!run.is_stuck());
    if (!run.parks(now) && !drain_until_ && !is_held(run, steady_now)) continue;
    outbox_.release(key, run.sleeps_until());
    run.leaving = true;
  }
}

// Brings a run up to date: steps that are skipped, waits and child runs that ended.
void WorkerLoop::advance(RunKey key, OwnedRun& run, Time now) {
  for (bool goes_on = true; goes_on;) {
    auto [changed, skips] = run.refresh(now);
    if (!skips.empty())
      flights_.stop_those(key, [&](TaskId task) { return !run.state().still_needed(task); });
    for (JournalRow& skip : skips) outbox_.settle(key, std::move(skip), std::nullopt);
    if (changed) tell_steps(key, run);
    if (run.state().end()) return end_run(key, run, now);
    goes_on = false;
    for (JournalRow& wait : run.ended_waits(now)) {
      journal(key, run, std::move(wait));
      goes_on = true;
    }
    for (const auto& [task, end] : run.take_child_ends()) {
      const StepDefinition& step = run.flow()->definition.steps()[task.task.step];
      settle_child(key, run, task, ChildRuns::result_of(end, step.child->view()), now);
      goes_on = true;
    }
  }
}

void WorkerLoop::tell_steps(RunKey key, OwnedRun& run) {
  const auto ends = run.take_step_ends();
  if (!outbox_.tells_events()) return;
  for (const StepEnd& end : ends) outbox_.tell(key, run, event_kind(end.kind), end.step);
  for (const OpenWait& wait : run.waits()) tell_begun(key, run, wait.step);
}

void WorkerLoop::tell_begun(RunKey key, OwnedRun& run, std::size_t step) {
  if (outbox_.tells_events() && run.begins(step)) outbox_.tell(key, run, EventKind::started, step);
}

// F6: attempts that are still in flight end as cancelled in the same commit. Those that a handler
// may settle in its own transaction are resolved first.
void WorkerLoop::end_run(RunKey key, OwnedRun& run, Time now) {
  run.ending = true;
  for (const Flights::Flight& flight : flights_.take_run(key)) {
    const Steady::rep started = flight.attempt->started.load(std::memory_order_acquire);
    JournalRow row{.task = flight.attempt->task,
                   .attempt = flight.attempt->number,
                   .outcome = Outcome::cancelled,
                   .error_code = "run_ended",
                   .error = "the run ended while this ran",
                   .started_at = started == 0
                                     ? now
                                     : std::min(now, clock_.at(Steady(Steady::duration(started)))),
                   .ended_at = now};
    if (!flight.attempt->gate.close()) {
      settling_.add(flight.attempt, std::move(row));
      continue;
    }
    --run.in_flight;
    outbox_.settle(key, std::move(row), run.plugin());
  }
  if (settling_.holds(key)) return;
  outbox_.end(key, *run.state().end());
  outbox_.tell(key, run, event_kind(run.state().end()->status));
  run.leaving = true;
}

void WorkerLoop::settle_child(RunKey key, OwnedRun& run, const ReadyTask& task,
                              AttemptResult result, Time now) {
  JournalRow row = run.state().make_row(task.task, task.attempt, std::move(result));
  row.started_at = std::min(task.not_before, now);
  row.ended_at = now;
  log(run.id(), run.flow()->definition, row);
  journal(key, run, std::move(row));
}

// P1: only while no row is uncommitted that a child run could depend on.
Result<void> WorkerLoop::start_children() {
  const Steady now = calls_.now();
  if (drain_until_) return {};
  return children_.start(
      worker_, now, runs_,
      {.is_held = [&](const OwnedRun& run) { return is_held(run, now); },
       .started = [this](RunKey key, OwnedRun& run,
                         std::size_t step) { tell_begun(key, run, step); },
       .failed =
           [&](RunKey key, OwnedRun& run, const ReadyTask& task, AttemptResult result) {
             settle_child(key, run, task, std::move(result), clock_.at(now));
           }});
}

void WorkerLoop::pick() {
  if (drain_until_) return;
  const Steady now = calls_.now();
  const std::size_t window = pace_.window();
  while (flights_.size() < window) {
    auto element = held_.next();
    if (!element) break;
    begin(std::move(element), now);
  }
  if (flights_.size() >= window) return;
  runs_.take_due(
      window - flights_.size(), [&](const OwnedRun& run) { return is_held(run, now); },
      [&](RunKey key, OwnedRun& run, const ReadyTask& task) { begin(key, run, task, now); });
}

void WorkerLoop::begin(RunKey key, OwnedRun& run, const ReadyTask& task, Steady now) {
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
  tell_begun(key, run, task.task.step);
  ++run.in_flight;
  begin(std::move(attempt), now);
}

void WorkerLoop::begin(std::shared_ptr<Attempt> attempt, Steady now) {
  attempt->ticket = next_ticket_++;
  attempt->worker = worker_;
  attempt->chosen = now;
  attempt->clock = clock_;
  flights_.add(attempt);
  starting_.push_back(std::move(attempt));
}

std::size_t WorkerLoop::room() const {
  if (drain_until_ || outbox_.request().versions.empty()) return 0;
  const std::size_t held = flights_.size() + runs_.due() + held_.waiting();
  const std::size_t target = pace_.hold();
  return held < target ? target - held : 0;
}

bool WorkerLoop::has_news(Steady now) const {
  return outbox_.is_pressing() || !starting_.empty() || now >= renew_at_ || told_ ||
         (more_waits_ && room() > 0);
}

Result<void> WorkerLoop::speak() {
  ExchangeRequest& request = outbox_.request();
  request.in_flight = flights_.stated();
  settling_.state(request.in_flight);
  request.claims_max = room();
  ++request.sequence;
  told_ = false;
  const Steady before = calls_.now();
  const auto reply = exchange_until_answered(request);
  if (!reply) return std::unexpected(reply.error());
  const Steady after = calls_.now();
  pace_.exchanged(after - before);
  clock_.set(reply->now, before, after);
  renew_at_ = after + options_.lease / 3;

  for (auto& attempt : std::exchange(starting_, {})) slots_.start(std::move(attempt));
  runs_.part();
  const std::size_t asked = request.claims_max;
  if (const auto events = outbox_.clear(); !events.empty()) events_.tell(events);
  take_over(*reply, asked);
  return adopt(reply->claimed);
}

// L6: repeats the same request until it is answered. If the first one was committed, the answer is
// the same.
Result<ExchangeReply> WorkerLoop::exchange_until_answered(const ExchangeRequest& request) {
  for (milliseconds pause = retry_first;; pause = std::min(2 * pause, retry_longest)) {
    auto reply = store_.exchange(request);
    if (reply || reply.error().code == ErrorCode::lease_lost) return reply;
    const Steady now = calls_.now();
    if (!is_away(reply.error()) || must_end(now)) return reply;
    if (pause == retry_first)
      log_.warn("the database does not answer, retrying: {}", to_string(reply.error()));
    flights_.enforce(now);
    store_.wait(pause);
  }
}

void WorkerLoop::take_over(const ExchangeReply& reply, std::size_t asked) {
  next_wake_at_ = reply.next_wake_at;
  more_waits_ = asked == 0 || reply.claimed.size() == asked || reply.missed > 0;
  // A run that was started before the database knew that this worker waits notified no worker. So
  // after the first fruitless scan the next one follows soon.
  const bool waits = !more_waits_;
  poll_at_ = calls_.now() + (waits && !waits_ ? second_look : poll_interval);
  waits_ = waits;
  paused_ = {reply.paused.begin(), reply.paused.end()};
  outbox_.wants_events(events_.is_listened(), reply.listened);
  for (const auto& [key, news] : reply.news) {
    OwnedRun* const run = runs_.find(key);
    if (run == nullptr) continue;
    run->hear(news);
    outbox_.hear(key, news.count);
  }
}

Result<void> WorkerLoop::adopt(const std::vector<ClaimedRun>& claimed) {
  auto histories = histories_of(claimed);
  if (!histories) return std::unexpected(histories.error());
  for (const ClaimedRun& claim : claimed) {
    const ServedFlows::Flow* const flow = flows_.find(claim.version);
    WEIR_ASSERT(flow != nullptr);  // the registry is read only between two exchanges
    OwnedRun& run = runs_.add(claim, flow->module, flow->options, flow->plugin);
    if (!claim.has_history) outbox_.tell(claim.run, run, EventKind::started);
    const std::vector<JournalRow>& journal = histories->journals[claim.run];
    OfferedShares::enter(histories->held, claim.run, run, journal);
    for (const JournalRow& row : journal) {
      if (const auto folded = run.apply(row); !folded) {
        give_up(claim.run, run, folded.error());
        break;
      }
      if (outbox_.tells_events()) run.begins(row.task.step);
    }
    run.take_step_ends();  // their events were published when they were journaled
    if (claim.news.count == 0) continue;
    run.hear(claim.news);
    outbox_.hear(claim.run, claim.news.count);
  }
  return {};
}

Result<WorkerLoop::Histories> WorkerLoop::histories_of(const std::vector<ClaimedRun>& claimed) {
  std::vector<RunKey> runs;
  for (const ClaimedRun& run : claimed)
    if (run.has_history) runs.push_back(run.run);
  if (runs.empty()) return {};
  for (milliseconds pause = retry_first;; pause = std::min(2 * pause, retry_longest)) {
    auto held = offered_.held_of(worker_, runs);
    auto journals = held ? store_.journal(runs) : std::unexpected(held.error());
    if (journals) return Histories{*std::move(held), *std::move(journals)};
    if (!is_away(journals.error()) || must_end(calls_.now()))
      return std::unexpected(journals.error());
    store_.wait(pause);
  }
}

void WorkerLoop::sweep(Steady now) {
  if (now < sweep_at_) return;
  sweep_at_ = now + options_.lease / 2;
  const auto swept = store_.sweep();
  if (!swept) {
    log_.warn("cannot sweep lapsed workers: {}", to_string(swept.error()));
  } else if (*swept > 0) {
    log_.warn("{} worker{} did not renew the lease: tasks that ran there start again", *swept,
              *swept == 1 ? "" : "s");
    more_waits_ = true;
  }
}

void WorkerLoop::forget() {
  flights_.forget();
  settling_.forget();
  starting_.clear();
  runs_.clear();
  offered_.forget();
  held_.forget();
}

}  // namespace weir
