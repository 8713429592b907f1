#pragma once
#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "integration/worker/test_flow.hpp"
#include "support/log_lines.hpp"
#include "unit/worker/fake_store.hpp"
#include "unit/worker/start.hpp"
#include "worker/attempts.hpp"
#include "worker/held_shares.hpp"
#include "worker/loop_state.hpp"
#include "worker/run_book.hpp"
#include "worker/served_flows.hpp"
#include "worker/step_runner.hpp"

namespace weir::testing {

/// When the tests of the worker's parts begin: `start`, for a DatabaseClock that was never set.
inline constexpr Steady steady_start{std::chrono::hours(1)};

inline ClaimedRun claim_of(RunKey run, const char* input = "null", int priority = 0) {
  ClaimedRun claim;
  claim.run = run;
  claim.id = fmt::format("run-{}", run);
  claim.version = 1;
  claim.priority = priority;
  claim.input = Json::trusted(input);
  claim.available_at = start;
  return claim;
}

/// An attempt of the flow's first step, for slots.
inline std::shared_ptr<Attempt> attempt_for_slots(const TestFlow& flow, const char* input = "1") {
  auto attempt = std::make_shared<Attempt>();
  attempt->flow = FlowHandle(flow.module());
  attempt->step = attempt->flow->steps[0];
  attempt->options = attempt->flow->definition.steps()[0].options;
  attempt->input = Json::trusted(input);
  attempt->run_id = "run-7";
  return attempt;
}

/// Adds a run of a flow to a book, as it is claimed.
inline OwnedRun& add_run(RunBook& runs, const TestFlow& flow, const ClaimedRun& claim,
                         std::optional<PluginId> plugin = std::nullopt) {
  const FlowHandle module(flow.module());
  std::vector<StepOptions> options;
  for (const StepDefinition& step : module->definition.steps()) options.push_back(step.options);
  return runs.add(claim, module, options, plugin);
}

inline OwnedRun& add_run(RunBook& runs, const TestFlow& flow, RunKey run,
                         const char* input = "null") {
  return add_run(runs, flow, claim_of(run, input));
}

inline AttemptResult completes(const char* output) {
  return {.outcome = Outcome::completed, .output = Json::trusted(output)};
}

inline AttemptResult fails(Outcome outcome = Outcome::failed) {
  return {.outcome = outcome, .error_code = "test", .error = "broken"};
}

/// Slots whose handlers begin and end when the test says so.
struct FakeSlots final : StepRunner {
  std::vector<std::shared_ptr<Attempt>> given;     ///< since it was emptied
  std::vector<std::shared_ptr<Attempt>> finished;  ///< what take_finished() returns next
  std::vector<std::uint64_t> abandoned;            ///< their tickets
  std::size_t without_thread = 0;                  ///< what lost() returns

  void start(std::vector<std::shared_ptr<Attempt>> attempts) override {
    std::ranges::move(attempts, std::back_inserter(given));
  }
  std::vector<std::shared_ptr<Attempt>> take_finished() override {
    return std::exchange(finished, {});
  }
  /// Of those given since it was emptied that have not begun.
  std::vector<std::shared_ptr<Attempt>> withdraw(std::size_t count, const Which& which) override {
    std::vector<std::shared_ptr<Attempt>> withdrawn;
    for (auto each = given.size(); each-- > 0 && withdrawn.size() < count;) {
      if (given[each]->started.load(std::memory_order_acquire) != 0 || !which(*given[each]))
        continue;
      withdrawn.push_back(given[each]);
      given.erase(given.begin() + static_cast<std::ptrdiff_t>(each));
    }
    return withdrawn;
  }
  void abandon(const Attempt& attempt) override { abandoned.push_back(attempt.ticket); }
  std::size_t lost() const override { return without_thread; }

  static void begin(Attempt& attempt, Steady at) {
    attempt.started.store(at.time_since_epoch().count(), std::memory_order_release);
  }
  void end(std::shared_ptr<Attempt> attempt, AttemptResult result, Steady at) {
    attempt->result = std::move(result);
    attempt->ended = at;
    finished.push_back(std::move(attempt));
  }
  /// The handlers given since it was emptied, and how many there were: "7:0.0#1 7:0.1#1".
  std::string text() const {
    std::string all;
    for (const auto& attempt : given)
      all += fmt::format("{}{}:{}", all.empty() ? "" : " ", attempt->run,
                         text_of(attempt->task, attempt->number));
    return all;
  }
};

/// A registry that a worker serves, around a fake database. Its clock is the test's.
struct TestRegistry {
  WorkerOptions options{.slots = 4};
  FakeStore store;
  LogLines lines;
  std::shared_ptr<Log> log = lines.log();
  FlowRegistry registry;
  Steady now = steady_start;
  ServedFlows flows{options, registry, store, *log, [this] { return now; }};

  TestRegistry() = default;
  TestRegistry(const TestRegistry&) = delete;
  TestRegistry& operator=(const TestRegistry&) = delete;

  /// Adds a flow from a plugin file of its own, or a new version of one.
  void place(const TestFlow& flow, const char* sha256) {
    FlowModule module = flow.module();
    module.file = {.path = "p.so", .sha256 = sha256};
    auto transaction = registry.begin();
    transaction.succeed(std::move(module));
    REQUIRE(transaction.commit().has_value());
  }
};

/// An exchange of what was collected: the events that are committed with it.
inline std::vector<RunEvent> exchange(Outbox& outbox, const ExchangeReply& reply, Steady now) {
  outbox.send(now);
  return outbox.answered(reply, now);
}

/// What the parts of a worker's loop share.
struct TestLoop : TestRegistry {
  LoopState loop{.options = options,
                 .store = store,
                 .log = *log,
                 .clock_of_host = [this] { return now; },
                 .worker = 1};
  HeldShares held{&store, flows, *log};
  FakeSlots slots;
  AcrossLives across;
  Attempts attempts{loop, slots, held, across};

  /// Picks what is due, as if all were stated in an exchange: the slots have it.
  void start_due() {
    for (auto& [key, run] : loop.runs) run.refresh(loop.database_now());
    attempts.pick([](const OwnedRun&) { return false; }, [](RunKey, OwnedRun&, std::size_t) {});
    start_stated();
  }
  void start_stated() {
    attempts.note_sent();
    attempts.start_stated();
  }

  /// What the next exchange journals: "7:0.0#1 completed 1\n" …
  std::string settled() const {
    std::string all;
    for (const SettledAttempt& each : loop.outbox.request().settled)
      all += fmt::format("{}:{}\n", each.run, text_of(each.row));
    return all;
  }
};

/// "7:0.0#1 7:0.1#1"
inline std::string text_of(const std::vector<InFlightTask>& stated) {
  std::string all;
  for (const InFlightTask& each : stated)
    all +=
        fmt::format("{}{}:{}", all.empty() ? "" : " ", each.run, text_of(each.task, each.attempt));
  return all;
}

}  // namespace weir::testing
