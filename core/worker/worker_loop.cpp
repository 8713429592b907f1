#include "worker/worker_loop.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "plugin/quarantine.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds poll_interval{1'000};  // behind notifications, which are hints
constexpr milliseconds park_after{1'000};     // a run that sleeps longer is given back
constexpr milliseconds retry_first{50};       // after the database did not answer
constexpr milliseconds retry_longest{2'000};
constexpr milliseconds flows_slice{100};  // of reading the registry, between two exchanges
constexpr milliseconds flows_pause{1'000};
constexpr std::size_t window_max = 256;
constexpr std::size_t request_bytes_max = 32 * 1024 * 1024;

double seconds(Steady::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void average(double& value, double sample) { value += (sample - value) / 8; }

}  // namespace

WorkerLoop::WorkerLoop(const WorkerOptions& options, ServedFlows& flows, FlowWorkers::Place& place,
                       WorkerStore& store, StepRunner& slots, spdlog::logger& log, Calls calls,
                       std::uint64_t& next_ticket)
    : options_(options),
      flows_(flows),
      place_(place),
      store_(store),
      slots_(slots),
      log_(log),
      calls_(std::move(calls)),
      next_ticket_(next_ticket) {
  request_.lease = options_.lease;
  if (!options_.sweeps) sweep_at_ = Steady::max();
}

Result<WorkerLoop::Ended> WorkerLoop::run(WorkerId worker) {
  request_.worker = worker;
  for (;;) {
    const Steady now = calls_.now();
    if (must_end(now)) break;

    sweep(now);
    read_flows(now);
    collect(now);
    advance_runs(now);
    if (!drain_until_) pick();
    if (drain_until_ && runs_.empty()) break;
    if (has_news(now)) {
      if (const auto spoken = speak(); !spoken) {
        forget();
        if (spoken.error().code == ErrorCode::lease_lost) return Ended::lease_lost;
        return std::unexpected(spoken.error());
      }
      continue;
    }
    const bool told = store_.wait(nap(now));
    if (calls_.called() || told || calls_.now() >= poll_at_) more_waits_ = true;
  }
  const std::size_t given_back = runs_.size();
  forget();
  if (const auto left = store_.leave(worker); !left) return std::unexpected(left.error());
  log_.info("worker {} left, {} unfinished run{} given back", worker, given_back,
            given_back == 1 ? "" : "s");
  return Ended::drained;
}

// Notices the wish to drain, and says whether its time is over.
bool WorkerLoop::must_end(Steady now) {
  const Wish wish = calls_.wish();
  if (wish != Wish::serve && !drain_until_) drain_until_ = now + options_.drain_timeout;
  return drain_until_ && (wish == Wish::stop_now || now >= *drain_until_);
}

// Settles what slots have finished and what ran out of time.
void WorkerLoop::collect(Steady now) {
  for (auto& attempt : slots_.take_finished()) finished_.push_back(std::move(attempt));
  for (; !finished_.empty() && request_bytes_ < request_bytes_max; finished_.pop_front()) {
    Attempt& attempt = *finished_.front();
    const Steady started(Steady::duration(attempt.started.load(std::memory_order_acquire)));
    average(task_seconds_, seconds(attempt.ended - started));
    const auto flight = flights_.take(attempt.ticket);
    if (!flight) {
      log_.warn("run {}: what {}.{} returned after its time is refused", attempt.run_id,
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
    settle(*flight, {}, now);
  }
}

void WorkerLoop::settle(const Flights::Flight& flight, AttemptResult result, Steady ended) {
  const Attempt& attempt = *flight.attempt;
  OwnedRun& run = runs_.at(attempt.run);
  if (flight.timed_out_at)
    result = {.outcome = Outcome::timed_out,
              .error_code = "timed_out",
              .error = fmt::format("no result within {} ms", attempt.options.timeout.count())};
  JournalRow row = run.state().judge(attempt.task, attempt.number, std::move(result));
  const Steady started(Steady::duration(attempt.started.load(std::memory_order_acquire)));
  row.started_at = std::max(clock_.at(started), attempt.not_before);  // the clock may have moved
  row.ended_at = std::max(clock_.at(ended), row.started_at);
  const auto folded = run.state().apply(row);
  WEIR_ASSERT(folded.has_value());
  --run.in_flight;
  if (row.outcome != Outcome::completed)
    log_.info("run {}: {}.{} attempt {} {}: {}", run.id(), run.flow()->definition.slug().view(),
              run.flow()->definition.steps()[row.task.step].slug.view(), row.attempt,
              name(row.outcome), row.error);
  request_bytes_ += 256 + row.error.size() + (row.output ? row.output->text().size() : 0);
  request_.settled.push_back({attempt.run, std::move(row), attempt.plugin});
}

// Takes over what came to the registry, without losing what it holds; at most for a while at a
// time, so that a thousand flows cost no lease.
void WorkerLoop::read_flows(Steady now) {
  if (calls_.flows_changed() || (release_at_ && now >= *release_at_)) flows_at_ = now;
  if (drain_until_ || !flows_at_ || now < *flows_at_) return;
  const auto whole = reread(now);
  flows_at_ = !whole   ? std::optional(now + flows_pause)
              : *whole ? std::nullopt
                       : std::optional(now);
  if (!whole && !flows_failed_)
    log_.warn("cannot make flows known, trying on: {}", to_string(whole.error()));
  flows_failed_ = !whole;
}

Result<bool> WorkerLoop::reread(Steady now) {
  const auto whole = flows_.refresh(now + flows_slice);
  if (options_.quarantine) release_at_ = options_.quarantine->next_release(now);
  const auto versions = flows_.claimable(now);
  request_.versions.clear();
  for (const auto& [version, plugin] : versions) request_.versions.push_back(version);
  more_waits_ = true;
  place_.serve(flows_.slugs());
  if (!whole) return whole;
  if (told_ == versions) return whole;
  if (const auto told = store_.serve_versions(request_.worker, versions); !told)
    return std::unexpected(told.error());
  if (told_)
    log_.info("worker {} can run {} version{} of flows now", request_.worker, versions.size(),
              versions.size() == 1 ? "" : "s");
  told_ = versions;
  return whole;
}

bool WorkerLoop::is_barred(const OwnedRun& run, Steady now) const {
  return release_at_ && options_.quarantine->barred(run.flow()->file.sha256, now);
}

// Closes runs that ended, and gives back those in which nothing can or may run for a while.
void WorkerLoop::advance_runs(Steady steady_now) {
  const Time now = clock_.at(calls_.now());
  for (auto& [key, run] : runs_) {
    if (run.leaving) continue;
    run.refresh(now);
    if (run.state().end()) {
      end_run(key, run);
      continue;
    }
    if (run.in_flight > 0) continue;
    const bool parks = run.due() == 0 && run.wakes_at() && *run.wakes_at() > now + park_after;
    WEIR_ASSERT(run.due() > 0 || run.wakes_at());
    if (!parks && !drain_until_ && !is_barred(run, steady_now)) continue;
    request_.released.push_back({key, run.due() > 0 ? std::nullopt : run.wakes_at()});
    run.leaving = true;
  }
}

// F6: whatever of it still runs ends as cancelled in the same commit.
void WorkerLoop::end_run(RunKey key, OwnedRun& run) {
  const Time now = clock_.at(calls_.now());
  for (const Flights::Flight& flight : flights_.take_run(key)) {
    const Steady::rep started = flight.attempt->started.load(std::memory_order_acquire);
    request_.settled.push_back(
        {key,
         {.task = flight.attempt->task,
          .attempt = flight.attempt->number,
          .outcome = Outcome::cancelled,
          .error_code = "run_ended",
          .error = "the run ended while this ran",
          .started_at =
              started == 0 ? now : std::min(now, clock_.at(Steady(Steady::duration(started)))),
          .ended_at = now},
         run.plugin()});
  }
  run.in_flight = 0;
  request_.ended.push_back({key, *run.state().end()});
  run.leaving = true;
}

// How many attempts to have under way: the slots, and as many more as they can finish while an
// exchange lasts.
std::size_t WorkerLoop::window() const {
  const double per_slot = exchange_seconds_ / std::max(task_seconds_, 1e-6);
  const double wanted = static_cast<double>(options_.slots) * (1.0 + per_slot);
  return std::max(options_.slots, std::min(window_max, static_cast<std::size_t>(wanted)));
}

// Chooses due tasks for the free part of the window: by priority, within one priority a task of
// each run in turn.
void WorkerLoop::pick() {
  const Steady now = calls_.now();
  const std::size_t limit = window();
  for (auto first = by_priority_.begin(); first != by_priority_.end() && flights_.size() < limit;) {
    const auto last = std::find_if(first, by_priority_.end(), [&](const auto& entry) {
      return entry.first.first != first->first.first;
    });
    for (bool found = true; found && flights_.size() < limit;) {
      found = false;
      for (auto entry = first; entry != last && flights_.size() < limit; ++entry) {
        OwnedRun& run = *entry->second;
        if (run.leaving || run.due() == 0 || is_barred(run, now)) continue;
        found = true;
        const ReadyTask task = run.take_due();
        auto attempt = std::make_shared<Attempt>();
        attempt->ticket = next_ticket_++;
        attempt->worker = request_.worker;
        attempt->run = entry->first.second;
        attempt->task = task.task;
        attempt->number = task.attempt;
        attempt->flow = run.flow();
        attempt->plugin = run.plugin();
        attempt->step = run.flow()->steps[task.task.step];
        attempt->options = run.state().options(task.task.step);
        attempt->input = run.state().input_of(task.task);
        attempt->run_id = run.id();
        attempt->flow_input = run.state().input();
        attempt->given = now;
        attempt->not_before = task.not_before;
        ++run.in_flight;
        flights_.add(attempt);
        starting_.push_back(std::move(attempt));
      }
    }
    first = last;
  }
}

// Runs waiting in a worker are lost to idle ones: hold no more than the slots can begin, unless
// tasks are so quick that the next exchange would come too late.
std::size_t WorkerLoop::room() const {
  if (drain_until_ || request_.versions.empty()) return 0;
  const std::size_t target = window() > options_.slots ? 2 * window() : options_.slots;
  std::size_t held = flights_.size();
  for (const auto& [key, run] : runs_) held += run.due();
  return held < target ? target - held : 0;
}

bool WorkerLoop::has_news(Steady now) const {
  return !request_.settled.empty() || !request_.ended.empty() || !request_.released.empty() ||
         !starting_.empty() || now >= renew_at_ || (more_waits_ && room() > 0);
}

Result<void> WorkerLoop::speak() {
  request_.in_flight = flights_.stated();
  request_.claims_max = room();
  ++request_.sequence;
  const Steady before = calls_.now();
  const auto reply = exchange_until_answered(request_);
  if (!reply) return std::unexpected(reply.error());
  const Steady after = calls_.now();
  average(exchange_seconds_, seconds(after - before));
  clock_.set(reply->now, before, after);
  renew_at_ = after + options_.lease / 3;

  for (auto& attempt : std::exchange(starting_, {})) slots_.start(std::move(attempt));
  std::erase_if(runs_, [&](const auto& entry) {
    const auto& [key, run] = entry;
    if (!run.leaving) return false;
    by_priority_.erase({-run.priority(), key});
    return true;
  });
  const std::size_t asked = request_.claims_max;
  request_.settled.clear();
  request_.ended.clear();
  request_.released.clear();
  request_bytes_ = 0;
  take_over(*reply, asked);
  return adopt(reply->claimed);
}

// L6: the same request again until it is answered; if it was committed the first time, the answer
// is the same.
Result<ExchangeReply> WorkerLoop::exchange_until_answered(const ExchangeRequest& request) {
  for (milliseconds pause = retry_first;; pause = std::min(2 * pause, retry_longest)) {
    auto reply = store_.exchange(request);
    if (reply || reply.error().code == ErrorCode::lease_lost) return reply;
    const bool passes =
        reply.error().code == ErrorCode::unavailable || reply.error().code == ErrorCode::in_doubt;
    const Steady now = calls_.now();
    if (!passes || must_end(now)) return reply;
    if (pause == retry_first)
      log_.warn("the database does not answer, trying on: {}", to_string(reply.error()));
    flights_.enforce(now);
    store_.wait(pause);
  }
}

void WorkerLoop::take_over(const ExchangeReply& reply, std::size_t asked) {
  next_wake_at_ = reply.next_wake_at;
  more_waits_ = asked == 0 || reply.claimed.size() == asked || reply.missed > 0;
  poll_at_ = calls_.now() + poll_interval;
}

Result<void> WorkerLoop::adopt(const std::vector<ClaimedRun>& claimed) {
  std::vector<RunKey> with_history;
  for (const ClaimedRun& run : claimed)
    if (run.has_history) with_history.push_back(run.run);
  std::map<RunKey, std::vector<JournalRow>> journals;
  for (milliseconds pause = retry_first; !with_history.empty();
       pause = std::min(2 * pause, retry_longest)) {
    auto read = store_.journal(with_history);
    if (read) {
      journals = *std::move(read);
      break;
    }
    if (read.error().code != ErrorCode::unavailable || must_end(calls_.now()))
      return std::unexpected(read.error());
    store_.wait(pause);
  }
  for (const ClaimedRun& claim : claimed) {
    const ServedFlows::Flow* const flow = flows_.find(claim.version);
    WEIR_ASSERT(flow != nullptr);  // the registry is read between two exchanges alone
    OwnedRun& run = runs_.try_emplace(claim.run, claim, flow->module, flow->options, flow->plugin)
                        .first->second;
    by_priority_.emplace(std::pair(-claim.priority, claim.run), &run);
    for (const JournalRow& row : journals[claim.run]) {
      if (const auto folded = run.state().apply(row); !folded) {
        log_.error("run {} cannot go on: {}", claim.id, to_string(folded.error()));
        request_.ended.push_back(
            {claim.run, {.status = RunStatus::failed, .error = to_string(folded.error())}});
        run.leaving = true;
        break;
      }
    }
  }
  return {};
}

void WorkerLoop::sweep(Steady now) {
  if (now < sweep_at_) return;
  sweep_at_ = now + options_.lease / 2;
  const auto swept = store_.sweep();
  if (!swept) {
    log_.warn("cannot look for dead workers: {}", to_string(swept.error()));
  } else if (*swept > 0) {
    log_.warn("{} worker{} did not renew the lease: what ran there starts again", *swept,
              *swept == 1 ? "" : "s");
    more_waits_ = true;
  }
}

milliseconds WorkerLoop::nap(Steady now) const {
  Steady until = std::min(renew_at_, sweep_at_);
  if (const auto limit = flights_.next_limit()) until = std::min(until, *limit);
  if (drain_until_) until = std::min(until, *drain_until_);
  if (flows_at_ && !drain_until_) until = std::min(until, *flows_at_);
  if (release_at_) until = std::min(until, *release_at_);
  const auto until_time = [&](Time time) {
    until = std::min(until, now + (time - clock_.at(now)));
  };
  for (const auto& [key, run] : runs_)
    if (const auto wakes_at = run.wakes_at()) until_time(*wakes_at);
  if (room() > 0) {
    until = std::min(until, poll_at_);
    if (next_wake_at_) until_time(*next_wake_at_);
  }
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(until - now));
}

void WorkerLoop::forget() {
  flights_.forget();
  starting_.clear();
  by_priority_.clear();
  runs_.clear();
}

}  // namespace weir
