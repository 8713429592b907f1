// Asynchronous handlers in virtual time.
#include <chrono>
#include <coroutine>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/async.hpp>
#include <weir/flow.hpp>
#include <weir/testing/flow_runner.hpp>

using namespace std::chrono_literals;
using weir::testing::FinishedRun;
using weir::testing::FlowRunner;

namespace {

weir::Async<std::vector<int>> plan(weir::Context& context, std::vector<int> hours) {
  co_await context.sleep(500ms);
  co_await context.sleep(500ms);
  co_return hours;
}
weir::Async<int> nap(weir::Context& context, int hours) {
  co_await context.sleep(std::chrono::hours(hours));
  co_return hours;
}
weir::Async<int> sleep_over(weir::Context& context) {
  if (context.attempt() == 1) co_await context.sleep(24h * 365 * 1000);
  co_await context.sleep(10s - 1us);
  co_return 1;
}
weir::Async<std::string> wait_for_stop(weir::Context& context) {
  co_await context.sleep(3s);
  const bool before = context.cancelled();
  co_await context.stopped();
  context.info(before || !context.cancelled() ? "too early" : "stopped");
  co_return "what comes late";
}
weir::Async<int> fail_late(weir::Context& context) {
  co_await context.sleep(40s);
  if (context.attempt() < 3) throw weir::retry_after(7min, "not yet");
  co_return 1;
}

// Resumes on a thread of its own.
struct Elsewhere {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const {
    std::thread([coroutine] { coroutine.resume(); }).detach();
  }
  void await_resume() const {}
};
weir::Async<bool> both(weir::Context& context) {
  co_await Elsewhere{};
  co_await context.sleep(2h);
  const auto there = std::this_thread::get_id();
  co_await context.sleep(2h);
  co_return there == std::this_thread::get_id();
}
weir::Async<int> decide_late(weir::Context& context) {
  co_await context.sleep(50min);
  co_return 4;
}
FlowRunner* signalled = nullptr;
weir::Async<int> decide_and_signal(weir::Context& context) {
  co_await context.sleep(50min);
  signalled->signal("answer", "5", 20min);
  co_return 4;
}
int decide_now(weir::Context&) { return 4; }

WEIR_FLOW(naps, "virtual.Naps", step<plan>("plan"), map<nap>("nap").over("plan"))
WEIR_FLOW(limited, "virtual.Limited",
          step<sleep_over>("over").timeout(10s).max_attempts(2).base_delay(1s),
          step<wait_for_stop>("stop").timeout(30s).max_attempts(1))
WEIR_FLOW(late, "virtual.Late", step<fail_late>("late"))
WEIR_FLOW(mixed, "virtual.Mixed", step<both>("both").timeout(24h))
WEIR_FLOW(decision, "virtual.Decision", step<decide_now>("decide").timeout(24h),
          wait("answer", 2h).after("decide"))

struct VirtualIdentity {
  static constexpr std::string_view name = "virtual";
  static constexpr std::string_view version = "1";
};
using VirtualParts = weir::sdk::Plugin<VirtualIdentity, weir_flow_naps, weir_flow_limited,
                                       weir_flow_late, weir_flow_mixed, weir_flow_decision>;
constinit const auto virtual_note = VirtualParts::note();
constinit const weir_plugin virtual_plugin = VirtualParts::symbol(virtual_note);

}  // namespace

TEST_SUITE("trial: virtual time") {
  TEST_CASE("A6: waits pass at once and are the time that attempts take") {
    FlowRunner flow(virtual_plugin, "naps");
    flow.timeout("nap", 24h);
    const auto began = std::chrono::steady_clock::now();
    const FinishedRun run = flow.run("[3, 1, 2]");
    CHECK(std::chrono::steady_clock::now() - began < 1h);
    CHECK(run.output() == R"({"nap":[3,1,2]})");
    CHECK(run.attempts("plan").at(0).took == 1s);
    const auto naps = run.attempts("nap");
    REQUIRE(naps.size() == 3);
    for (const auto& each : naps) CHECK(each.began == 1s);  // at once, each with a slot
    CHECK(naps[0].took == 3h);
    CHECK(naps[2].took == 2h);
    CHECK(run.elapsed() == 3h + 1s);
    CHECK(flow.run("[1]").elapsed() == 1h + 1s);
  }

  TEST_CASE("F4: a wait that reaches the timeout ends there, and so does the attempt") {
    const FinishedRun run = FlowRunner(virtual_plugin, "limited").run();
    const auto over = run.attempts("over");
    REQUIRE(over.size() == 2);
    CHECK(over[0].outcome == "timed_out");
    CHECK(over[0].error == "no result within 10000 ms");
    CHECK(over[0].took == 10s);
    CHECK(over[1].began == 10s + over[1].waited);
    CHECK(over[1].outcome == "completed");
    CHECK(over[1].took == 10s - 1us);
    const auto stop = run.attempts("stop");
    REQUIRE(stop.size() == 1);
    CHECK(stop[0].outcome == "timed_out");
    CHECK(stop[0].took == 30s);
    REQUIRE(run.logs().size() == 1);
    CHECK(run.logs()[0].message == "stopped");
    CHECK_FALSE(run.completed());
    CHECK(run.elapsed() == 30s);
  }

  TEST_CASE("F4: a wait at exactly the timeout times out, and one that is stopped takes no time") {
    FlowRunner flow(virtual_plugin, "late");
    flow.timeout("late", 40s);
    flow.max_attempts("late", 1);
    CHECK(flow.run().attempts("late").at(0).outcome == "timed_out");
    flow.timeout("late", 40s + 1ms);
    CHECK(flow.run().attempts("late").at(0).error == "not yet");
    flow.time_out("late");
    const FinishedRun run = flow.run();
    CHECK(run.attempts("late").at(0).outcome == "timed_out");
    CHECK(run.elapsed() == 40s + 1ms);
  }

  TEST_CASE("F3: what an asynchronous handler throws after a wait counts from then") {
    const FinishedRun run = FlowRunner(virtual_plugin, "late").run();
    CHECK(run.completed());
    const auto tries = run.attempts("late");
    REQUIRE(tries.size() == 3);
    for (const auto& each : tries) CHECK(each.took == 40s);
    CHECK(tries[1].waited == 7min);
    CHECK(run.elapsed() == 3 * 40s + 2 * 7min);
  }

  TEST_CASE("F1: an attempt that is lost took its time") {
    FlowRunner flow(virtual_plugin, "late");
    flow.lose("late");
    const FinishedRun run = flow.run();
    CHECK(run.attempts("late").at(0).outcome == "lost");
    CHECK(run.attempts("late").at(1).began == 40s);
  }

  TEST_CASE("A6: other awaitables are waited for, and the waits after them pass at once") {
    const FinishedRun run = FlowRunner(virtual_plugin, "mixed").run();
    CHECK(run.output() == R"({"both":true})");
    CHECK(run.elapsed() == 4h);
  }

  TEST_CASE("A6: a step can be replaced by an asynchronous handler") {
    FlowRunner flow(virtual_plugin, "decision");
    flow.mock<decide_late>("decide");
    const FinishedRun run = flow.run();
    CHECK(run.attempts("decide").at(0).took == 50min);
    CHECK(run.elapsed() == 2h + 50min);
  }

  TEST_CASE("C4: a signal counts from what its step has let pass") {
    FlowRunner flow(virtual_plugin, "decision");
    signalled = &flow;
    flow.mock<decide_and_signal>("decide");
    CHECK(flow.run().elapsed() == 70min);
    flow.mock<decide_now>("decide");
    flow.signal("answer", "5", 20min);  // of the next run, whatever passed in the one before
    CHECK(flow.run().elapsed() == 20min);
  }
}
