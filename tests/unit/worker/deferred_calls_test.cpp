#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "support/eventually.hpp"
#include "unit/worker/parts.hpp"
#include "worker/slots.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// Slots, and a flow whose handler the test gives.
struct Deferring {
  TestHandler handler;
  TestFlow flow{"waits", {{"s", [this](TestCall& call) { return handler(call); }}}};
  LogLines lines;
  std::uint64_t next_ticket = 1;
  std::shared_ptr<StepResources> resources = std::make_shared<StepResources>();
  std::optional<Slots> slots;
  std::mutex mutex;
  std::vector<TestCall> calls;  // deferred

  explicit Deferring(std::size_t count = 1, std::size_t deferred_max = 1'000) {
    slots.emplace(count, resources, lines.log(), [] {}, nullptr, deferred_max);
    handler = [this](TestCall& call) { return defer(call); };
  }

  std::int32_t defer(TestCall& call) {
    auto deferred = call.deferred();
    if (!deferred) return call.fail("no room");
    const std::lock_guard lock(mutex);
    calls.push_back(*deferred);
    return WEIR_PENDING;
  }

  std::shared_ptr<Attempt> start() {
    auto attempt = attempt_for_slots(flow);
    attempt->ticket = next_ticket++;
    slots->start({attempt});
    return attempt;
  }
  // Starts so many and waits until they pend.
  std::vector<std::shared_ptr<Attempt>> pend(std::size_t count) {
    std::vector<std::shared_ptr<Attempt>> all;
    const std::size_t before = slots->pending();
    for (std::size_t i = 0; i < count; ++i) all.push_back(start());
    REQUIRE(eventually([&] { return slots->pending() == before + count; }));
    return all;
  }
  // Waits for the only attempt that finishes.
  std::shared_ptr<Attempt> finished() {
    std::vector<std::shared_ptr<Attempt>> all;
    REQUIRE(eventually([&] {
      for (auto& each : slots->take_finished()) all.push_back(std::move(each));
      return !all.empty();
    }));
    REQUIRE(all.size() == 1);
    return all.front();
  }
  bool has_finished() { return !slots->take_finished().empty(); }
};

AttemptResult result_of(const TestHandler& handler) {
  Deferring deferring;
  deferring.handler = handler;
  deferring.start();
  return deferring.finished()->result;
}

}  // namespace

TEST_SUITE("worker: deferred calls") {
  TEST_CASE("A1: a deferred call holds no slot and ends with its completion") {
    Deferring deferring(1);
    const auto attempts = deferring.pend(100);
    CHECK_FALSE(deferring.has_finished());
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      TestCall& call = deferring.calls[i];
      CHECK(call.output(std::to_string(i)) == 0);
      std::jthread([&] { CHECK(call.complete(WEIR_OK) == WEIR_OK); }).join();
      const auto attempt = deferring.finished();
      CHECK(attempt == attempts[i]);
      CHECK(attempt->result.outcome == Outcome::completed);
      CHECK(attempt->result.output->text() == std::to_string(i));
      CHECK(attempt->ended >= Steady(Steady::duration(attempt->started)));
    }
    CHECK(deferring.slots->pending() == 0);
    CHECK(deferring.slots->close(1s) == 0);
  }

  TEST_CASE("A2: a completion is checked as a return is") {
    Deferring deferring;
    const auto completed = [&](const std::function<std::int32_t(TestCall&)>& end) {
      deferring.pend(1);
      TestCall call = deferring.calls.back();
      CHECK(call.complete(end(call)) == WEIR_OK);
      return deferring.finished()->result;
    };
    CHECK(completed([](TestCall& call) { return call.fail("no", WEIR_FAILED, 7); }).retry_after ==
          7ms);
    CHECK(completed([](TestCall& call) { return call.fail("no", WEIR_FAILED_FOR_GOOD); }).outcome ==
          Outcome::failed_for_good);
    CHECK(completed([](TestCall&) { return WEIR_OK; }).error_code == "no_output");
    CHECK(completed([](TestCall& call) { return call.output("{"); }).error_code == "bad_output");
    CHECK(completed([](TestCall&) { return WEIR_PENDING; }).error_code == "bad_return");
    CHECK(completed([](TestCall&) { return WEIR_CANCELLED; }).error_code == "cancelled");
  }

  TEST_CASE("A2: a call may be completed before its handler returns and by it") {
    const AttemptResult result = result_of([](TestCall& call) {
      TestCall deferred = *call.deferred();
      deferred.output("5");
      CHECK(deferred.complete(WEIR_OK) == WEIR_OK);
      CHECK(deferred.complete(WEIR_OK) == WEIR_CANCELLED);
      CHECK(call.output("6") != 0);
      return WEIR_PENDING;
    });
    CHECK(result.outcome == Outcome::completed);
    CHECK(result.output->text() == "5");
  }

  TEST_CASE("A3: a second completion and whatever else comes later is refused") {
    Deferring deferring;
    deferring.pend(1);
    TestCall call = deferring.calls.back();
    call.output("1");
    CHECK(call.complete(WEIR_OK) == WEIR_OK);
    CHECK(call.complete(WEIR_FAILED) == WEIR_CANCELLED);
    CHECK(call.output("2") != 0);
    CHECK(call.cancelled());
    CHECK(call.settlement("1").outcome == WEIR_CANCELLED);
    CHECK(call.on_stop([](void*) {}, nullptr) == WEIR_CANCELLED);
    CHECK(deferring.finished()->result.output->text() == "1");
    CHECK_FALSE(deferring.has_finished());
  }

  TEST_CASE(
      "A2: what returns anything else than that it is pending or is not deferred has failed") {
    CHECK(result_of([](TestCall&) { return WEIR_PENDING; }).error_code == "bad_return");
    std::optional<TestCall> late;
    const AttemptResult result = result_of([&](TestCall& call) {
      late = call.deferred();
      return call.output("1");
    });
    CHECK(result.error_code == "bad_return");
    CHECK(late->complete(WEIR_OK) == WEIR_CANCELLED);
    const AttemptResult thrown = result_of([&](TestCall& call) -> std::int32_t {
      late = call.deferred();
      throw std::runtime_error("no");
    });
    CHECK(thrown.error_code == "exception");
    CHECK(late->complete(WEIR_OK) == WEIR_CANCELLED);
  }

  TEST_CASE("A4: no more calls are deferred than may be") {
    Deferring deferring(1, 2);
    deferring.pend(2);
    deferring.start();
    CHECK(deferring.finished()->result.error == "no room");
    CHECK(deferring.calls[0].complete(WEIR_FAILED) == WEIR_OK);
    CHECK(deferring.finished()->result.outcome == Outcome::failed);
    deferring.pend(1);
    CHECK_FALSE(TestCall(deferring.calls[1]).deferred());  // it is deferred already
  }

  TEST_CASE("A4: a call whose attempt is over takes its place until it is completed") {
    Deferring deferring(1, 1);
    const auto attempt = deferring.pend(1).front();
    deferring.slots->abandon(*attempt);
    CHECK(deferring.slots->pending() == 0);
    deferring.start();
    CHECK(deferring.finished()->result.error == "no room");
    CHECK(deferring.calls[0].fact("run_id") == "run-7");  // it may be in use
    CHECK(deferring.calls[0].output("1") != 0);
    CHECK(deferring.calls[0].complete(WEIR_OK) == WEIR_CANCELLED);
    CHECK(deferring.finished() == attempt);  // whose result the worker refuses
    CHECK(deferring.calls[0].fact("run_id") == "");
    deferring.pend(1);
  }

  TEST_CASE("F4: a deferred call is told once to stop wherever it is then") {
    Deferring deferring;
    std::atomic<int> told = 0;
    const auto tell = [](void* user) { ++*static_cast<std::atomic<int>*>(user); };
    for (const bool before : {false, true}) {
      const auto attempt = deferring.pend(1).front();
      const TestCall call = deferring.calls.back();
      told = 0;
      if (before) attempt->stop.cancel();
      CHECK(call.on_stop(tell, &told) == WEIR_OK);
      CHECK(told == (before ? 1 : 0));
      attempt->stop.cancel();
      CHECK(told == 1);
      CHECK(call.cancelled());
      CHECK(call.complete(WEIR_CANCELLED) == WEIR_OK);
      CHECK(deferring.finished()->result.error_code == "cancelled");
    }
  }

  TEST_CASE("F4: a call may be completed by what stops it, and is not told after its completion") {
    Deferring deferring;
    const auto attempt = deferring.pend(1).front();
    TestCall call = deferring.calls.back();
    CHECK(call.on_stop([](void* user) { static_cast<TestCall*>(user)->complete(WEIR_CANCELLED); },
                       &call) == WEIR_OK);
    attempt->stop.cancel();
    CHECK(deferring.finished()->result.error_code == "cancelled");

    const auto other = deferring.pend(1).front();
    call = deferring.calls.back();
    bool told = false;
    CHECK(call.on_stop([](void* user) { *static_cast<bool*>(user) = true; }, &told) == WEIR_OK);
    CHECK(call.complete(WEIR_CANCELLED) == WEIR_OK);
    other->stop.cancel();
    CHECK_FALSE(told);
  }

  TEST_CASE("A5: slots that close wait for deferred calls and then refuse them") {
    Deferring deferring;
    deferring.pend(2);
    const std::jthread later([&] {
      std::this_thread::sleep_for(20ms);
      CHECK(deferring.calls[0].complete(WEIR_FAILED) == WEIR_OK);
    });
    CHECK(deferring.slots->close(300ms) == 1);
    CHECK(deferring.calls[1].complete(WEIR_OK) == WEIR_CANCELLED);
    deferring.slots.reset();
    CHECK(deferring.calls[1].complete(WEIR_OK) == WEIR_CANCELLED);
  }

  TEST_CASE("A3: completions, stops and abandonments at once settle each attempt once") {
    Deferring deferring(2, 10'000);
    constexpr std::size_t count = 2'000;
    const auto attempts = deferring.pend(count);
    std::atomic<std::size_t> accepted = 0;
    std::atomic<int> told = 0;
    for (const TestCall& call : deferring.calls)
      call.on_stop([](void* user) { ++*static_cast<std::atomic<int>*>(user); }, &told);
    {
      const auto completes = [&] {
        for (const TestCall& call : deferring.calls)
          if (call.complete(WEIR_FAILED) == WEIR_OK) ++accepted;
      };
      const std::jthread one(completes), two(completes);
      const std::jthread stops([&] {
        for (std::size_t i = count; i-- > 0;) attempts[i]->stop.cancel();
      });
      const std::jthread abandons([&] {
        for (std::size_t i = 0; i < count; i += 3) deferring.slots->abandon(*attempts[i]);
      });
    }
    CHECK(deferring.slots->take_finished().size() == count);
    CHECK(accepted <= count);
    CHECK(deferring.slots->pending() == 0);
    CHECK(told <= static_cast<int>(count));
  }
}
