#include "simulation/simulated_steps.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include <weir/abi/async.h>

#include "simulation/host.hpp"
#include "unit/run/random_flow.hpp"

namespace weir::simulation {

using namespace std::chrono_literals;

void SimulatedSteps::start(std::vector<std::shared_ptr<Attempt>> attempts) {
  std::ranges::move(attempts, std::back_inserter(queue_));
  fill();
}

std::vector<std::shared_ptr<Attempt>> SimulatedSteps::take_finished() {
  return std::exchange(finished_, {});
}

void SimulatedSteps::begin(std::shared_ptr<Attempt> attempt) {
  World& world = host_.world();
  attempt->started.store(host_.steady().time_since_epoch().count(), std::memory_order_release);
  if (attempt->stop.cancelled()) {  // it was cancelled while it waited for a slot
    attempt->result.outcome = Outcome::failed;
    attempt->ended = host_.steady();
    finished_.push_back(std::move(attempt));
    return;
  }
  world.judge.attempt_began(*attempt, host_.clock_rate());
  const auto running = std::make_shared<Running>();
  running->attempt = attempt;
  running->result = draw_result(*attempt);
  running_.push_back(running);
  if (world.features.deferred && one_in(2, world.random))
    host_.after(up_to(20ms, world.random), [this, running] { defer(running); });
  Duration lasts = one_in(4, world.random) ? up_to(3s, world.random) : up_to(50ms, world.random);
  if (happens(world.faults.handler_hangs, world.random)) {
    running->obeys = false;
    running->hangs = true;
    return;
  }
  if (happens(world.faults.handler_overruns, world.random)) {
    lasts += attempt->options.timeout;
    running->obeys = one_in(2, world.random);
  }
  if (!world.features.settlements || !one_in(2, world.random)) return end_after(running, lasts);
  const bool settles_late = one_in(2, world.random);
  const Duration moment = up_to(20ms, world.random);
  host_.after(settles_late ? lasts : moment,
              [this, running, then = settles_late ? moment : lasts] { settle(running, then); });
}

// C9: the handler begins a transaction and settles its attempt there; then it does other things, or
// commits at once.
void SimulatedSteps::settle(const Place& running, Duration then) {
  if (!runs(running)) return;
  World& world = host_.world();
  Attempt& attempt = *running->attempt;
  const auto fails = [&] {
    running->result = {.outcome = Outcome::failed, .error_code = "e", .error = "not settled"};
    end_after(running, up_to(30ms, world.random));
  };
  if (!host_.is_connected() || !attempt.gate.take()) return fails();
  const Json output = running->result.output.value_or(Json::string("settled"));
  world.judge.settlement_requested(attempt, output);
  const Time started =
      attempt.clock.at(Steady(Steady::duration(attempt.started.load(std::memory_order_acquire))));
  const auto settled =
      world.database.settle(attempt.worker, attempt.run, attempt.share, attempt.task,
                            attempt.number, output, started, started + attempt.options.timeout);
  if (!settled) return fails();
  running->settlement = *settled;
  host_.after(then, [this, running] { commit(running); });
}

void SimulatedSteps::commit(const Place& running) {
  if (!running->settlement) return;  // it was stopped
  World& world = host_.world();
  const bool commits = !one_in(6, world.random);
  const bool lost = happens(world.faults.request_lost, world.random) || !host_.is_connected();
  const bool late = happens(world.faults.commit_late, world.random);
  bool was_open = true;
  if (lost || late)
    end_transaction_later(*running, late && commits);
  else
    was_open = world.database.end_settlement(*std::exchange(running->settlement, {}), commits);
  const bool answered =
      was_open && !lost && !late && !happens(world.faults.reply_lost, world.random);
  if (!answered || (!commits && one_in(2, world.random)))
    running->result = {.outcome = Outcome::failed, .error_code = "e", .error = "not committed"};
  end_after(running, up_to(30ms, world.random));
}

// The database server notices later that the connection is gone, or that it was told to commit.
void SimulatedSteps::end_transaction_later(Running& running, bool commits) {
  World& world = host_.world();
  world.stage.after(up_to(3s, world.random),
                    [&world, id = *std::exchange(running.settlement, {}), commits] {
                      world.database.end_settlement(id, commits);
                    });
}

void SimulatedSteps::lose_connections() {
  for (const Place& each : running_)
    if (each->settlement) end_transaction_later(*each, one_in(2, host_.world().random));
}

void SimulatedSteps::end_after(const Place& running, Duration delay) {
  host_.after(delay, [this, running] { end(running); });
}

void SimulatedSteps::end(const Place& running) {
  if (running->pending) return complete(running);
  if (runs(running)) finish(running, true);
}

void SimulatedSteps::finish(const Place& running, bool counts) {
  std::erase(running_, running);
  if (running->settlement)
    host_.world().database.end_settlement(*std::exchange(running->settlement, {}), false);
  Attempt& attempt = *running->attempt;
  if (counts) {
    host_.world().judge.attempt_ended(attempt, running->result);
    attempt.result = std::move(running->result);
  } else {
    attempt.result = {};
  }
  attempt.ended = host_.steady();
  finished_.push_back(running->attempt);
  fill();
  host_.wake();
}

// A1: the handler returns, and its call is pending. Some are completed by what tells them to stop.
void SimulatedSteps::defer(const Place& running) {
  World& world = host_.world();
  if (!runs(running) || !take_place(deferred_, deferred_max_)) return;
  running->call.defer([] { return std::uint64_t{1}; });
  running->call.returned(WEIR_PENDING, true);
  running->pending = true;
  running->attempt->deferred.store(host_.steady().time_since_epoch().count(),
                                   std::memory_order_release);
  if (running->abandoned) running->call.end();
  ++world.deferred;
  if (const auto all = std::ranges::count_if(running_, &Running::pending, &Place::operator*);
      static_cast<std::size_t>(all) > deferred_max_)
    world.judge.violated(
        fmt::format("A4: {} calls are pending, and {} may be", all, deferred_max_));
  if (running->obeys && one_in(3, world.random))
    running->call.on_stop(std::make_shared<Cancellation<>::Callback>(
        running->attempt->stop,
        [this, place = std::weak_ptr(running)] {
          const Place stopped = place.lock();
          if (!stopped || host_.is_dead()) return;
          stopped->result = {.outcome = Outcome::failed, .error_code = "e", .error = "stopped"};
          complete(stopped);
        },
        Cancellation<>::Callback::Unarmed{}));
  fill();
}

// A3: by a thread of the plugin, at any moment; also when it was completed before.
void SimulatedSteps::complete(const Place& running) {
  World& world = host_.world();
  const auto completion = running->call.complete(WEIR_OK);
  const bool late = running->is_over();
  const bool counts = completion.counts || (completion.is_first && late &&
                                            world.mistake == Mistake::late_completion_counts);
  if (counts && late)
    world.judge.violated(fmt::format("A3: run {}: a call is completed whose attempt is over",
                                     running->attempt->run));
  if (counts && !runs(running))
    world.judge.violated(
        fmt::format("A3: run {}: a call is completed twice", running->attempt->run));
  if (!counts) ++world.refused_completions;
  if (!completion.is_first) return;
  if (completion.on_stop) completion.on_stop->end();
  deferred_.fetch_sub(1);
  if (one_in(4, world.random))
    host_.after(up_to(3s, world.random), [this, running] { complete(running); });
  finish(running, counts);
}

bool SimulatedSteps::runs(const Place& running) const {
  return std::ranges::find(running_, running) != running_.end();
}

std::size_t SimulatedSteps::on_slots() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      running_, [](const Place& each) { return !each->abandoned && !each->pending; }));
}

std::size_t SimulatedSteps::pending() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      running_, [](const Place& each) { return !each->abandoned && each->pending; }));
}

bool SimulatedSteps::is_pending(RunKey run, TaskId task, int attempt) const {
  return std::ranges::any_of(running_, [&](const Place& each) {
    return each->pending && each->attempt->run == run && each->attempt->task == task &&
           each->attempt->number == attempt;
  });
}

void SimulatedSteps::close() {
  for (const Place& each : running_) {
    if (!each->pending) continue;
    each->call.end();
    each->abandoned = true;
  }
}

void SimulatedSteps::fill() {
  World& world = host_.world();
  const auto occupied = [&] {
    return on_slots() + (world.mistake == Mistake::pending_has_slot ? pending() : 0);
  };
  while (occupied() < slots_ && !queue_.empty()) {
    auto next = std::move(queue_.front());
    queue_.pop_front();
    begin(std::move(next));
  }
  if (on_slots() > slots_) world.judge.violated("more handlers run than there are slots");
  if (on_slots() < slots_ && !queue_.empty())
    world.judge.violated("A1: an attempt waits for a slot though one is free");
}

std::vector<std::shared_ptr<Attempt>> SimulatedSteps::withdraw(std::size_t count,
                                                               const Which& which) {
  return withdraw_from(queue_, count, which);
}

void SimulatedSteps::abandon(const Attempt& attempt) {
  for (const Place& each : running_) {
    if (each->attempt.get() != &attempt) continue;
    each->abandoned = true;
    if (each->pending) each->call.end();
  }
  fill();
}

void SimulatedSteps::check() {
  World& world = host_.world();
  for (const Place& each : running_) {
    if (each->ending) continue;
    const bool stopped = each->obeys && each->attempt->stop.cancelled();
    const bool released = each->hangs && world.faults.handler_hangs == 0;
    if (!stopped && !released) continue;
    each->ending = true;
    if (stopped && one_in(2, world.random)) {
      each->result.outcome = Outcome::failed;
      each->result.output.reset();
      each->result.error = "stopped";
    }
    end_after(each, up_to(30ms, world.random));
  }
}

AttemptResult SimulatedSteps::draw_result(const Attempt& attempt) {
  Random& random = host_.world().random;
  if (happens(host_.world().faults.handler_fails, random)) {
    AttemptResult result{.outcome = one_in(6, random) ? Outcome::failed_for_good : Outcome::failed,
                         .error_code = "e",
                         .error = "boom"};
    if (one_in(4, random)) result.retry_after = std::chrono::milliseconds(random() % 5'000);
    return result;
  }
  const auto& steps = attempt.flow->definition.steps();
  const bool list = std::ranges::any_of(steps[attempt.task.step].dependents, [&](std::size_t each) {
    const StepDefinition& next = steps[each];
    return next.kind == StepKind::map;
  });
  return {.output = list && !one_in(50, random) ? host_.world().features.array(random)
                                                : random_json(random)};
}

}  // namespace weir::simulation
