#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <malloc.h>

#include "definition/default_settings.hpp"
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

  std::atomic<int> told = 0;  // how often the loop was

  explicit Deferring(std::size_t count = 1, std::size_t deferred_max = 1'000) {
    slots.emplace(count, resources, lines.log(), [this] { ++told; }, nullptr, deferred_max);
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

// What the destructor of a resource says.
std::atomic<int> destroyed = 0;
std::thread::id destroyed_by;
constexpr weir_maker maker = {.struct_size = sizeof(weir_maker),
                              .reserved = 0,
                              .create = [](weir_start*, void*) -> void* { return &destroyed; },
                              .destroy =
                                  [](void*) {
                                    destroyed_by = std::this_thread::get_id();
                                    ++destroyed;
                                  },
                              .user = nullptr,
                              .type = nullptr};

// In this process, and other tests leave some.
std::size_t pending_of(const std::string& sha256) { return pending_by_plugin()[sha256]; }

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

  TEST_CASE("A1: the loop hears that a slot has nothing to do after a call was deferred") {
    Deferring deferring;
    deferring.pend(1);
    CHECK(eventually([&] { return deferring.told == 1; }));
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

  TEST_CASE("A5: a call whose attempt is over is not told and what it is given is not called") {
    Deferring deferring;
    const auto attempt = deferring.pend(1).front();
    const TestCall call = deferring.calls.back();
    attempt->stop.cancel();
    deferring.slots->abandon(*attempt);
    bool told = false;
    CHECK(call.on_stop([](void* user) { *static_cast<bool*>(user) = true; }, &told) ==
          WEIR_CANCELLED);
    CHECK_FALSE(told);
    CHECK(call.complete(WEIR_OK) == WEIR_CANCELLED);
  }

  TEST_CASE("A5: what a call has acquired is never destroyed by the thread that completes it") {
    for (const std::int32_t returned : {std::int32_t{WEIR_PENDING}, std::int32_t{WEIR_OK}}) {
      Deferring deferring;
      destroyed = 0;
      deferring.handler = [&](TestCall& call) {
        CHECK(call.acquire("model", maker) != nullptr);
        deferring.defer(call);
        return returned;
      };
      deferring.start();
      if (returned == WEIR_OK) CHECK(deferring.finished()->result.error_code == "bad_return");
      REQUIRE(
          eventually([&] { return deferring.slots->pending() == (returned == WEIR_OK ? 0 : 1); }));
      deferring.resources->end(*deferring.lines.log());  // the call has it still
      std::jthread([&] { deferring.calls.back().complete(WEIR_FAILED); }).join();
      CHECK(destroyed == 0);
      deferring.slots->take_finished();
      CHECK(destroyed == 1);
      CHECK(destroyed_by == std::this_thread::get_id());
    }
  }

#ifndef WEIR_BUILT_WITH_SANITIZERS
  TEST_CASE("A1: a pending call keeps at most 2 KiB beside its input") {
    constexpr std::size_t count = 2'000;
    Deferring deferring(1, count);
    const auto first = deferring.pend(1).front();
    std::vector<std::shared_ptr<Attempt>> attempts;
    const std::size_t before = ::mallinfo2().uordblks;
    for (std::size_t i = 1; i < count; ++i) {
      attempts.push_back(std::make_shared<Attempt>());
      attempts.back()->flow = first->flow;
      attempts.back()->step = first->step;
      attempts.back()->run_id = "01234567-89ab-cdef-0123-456789abcdef";
    }
    deferring.slots->start(attempts);
    REQUIRE(eventually([&] { return deferring.slots->pending() == count; }));
    for (const TestCall& call : deferring.calls) {
      CHECK(call.on_stop([](void*) {}, nullptr) == WEIR_OK);
      CHECK(call.fact("attempt") == "1");
    }
    const std::size_t each = (::mallinfo2().uordblks - before) / (count - 1);
    MESSAGE("a pending call keeps " << each << " bytes");
    CHECK(each <= 2'048);
    for (const TestCall& call : deferring.calls) CHECK(call.complete(WEIR_FAILED) == WEIR_OK);
  }
#endif

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

  TEST_CASE("A3: what is done with a call that is completed is told once and by whom") {
    Deferring deferring;
    deferring.pend(2);
    const TestCall call = deferring.calls.front();
    CHECK(call.complete(WEIR_FAILED) == WEIR_OK);
    for (int i = 0; i < 1'000; ++i) {
      CHECK(call.complete(WEIR_OK) == WEIR_CANCELLED);
      call.log("lost");
    }
    TestCall other = deferring.calls.back();
    CHECK(other.complete(WEIR_FAILED) == WEIR_OK);
    CHECK(other.cancelled());  // these two may be: another thread has completed it
    CHECK(other.on_stop([](void*) {}, nullptr) == WEIR_CANCELLED);
    CHECK(other.output("1") != 0);
    CHECK(
        deferring.lines.with_levels() ==
        "warning: run run-7: waits.s (attempt 1) completes after its deferred call was completed: "
        "that is refused\n"
        "warning: run run-7: waits.s (attempt 1) gives an output after its deferred call was "
        "completed: that is refused\n");
  }

  TEST_CASE("A3: a completion after another return is told") {
    Deferring deferring;
    std::optional<TestCall> late;
    deferring.handler = [&](TestCall& call) {
      late = call.deferred();
      return call.output("1");
    };
    deferring.start();
    deferring.finished();
    CHECK(late->complete(WEIR_OK) == WEIR_CANCELLED);
    CHECK(deferring.lines.with_levels() ==
          "warning: run run-7 waits.s: it completes its deferred call too late\n");
  }

  TEST_CASE("A3: a log that is gone is told nothing") {
    std::optional<TestCall> call;
    {
      Deferring deferring;
      deferring.pend(1);
      call = deferring.calls.front();
      CHECK(call->complete(WEIR_FAILED) == WEIR_OK);
      deferring.finished();
    }
    CHECK(call->complete(WEIR_FAILED) == WEIR_CANCELLED);
  }

  TEST_CASE("A4: a hundred thousand calls pend at once where so many may and else wait in slots") {
    constexpr std::size_t count = 100'000;
    for (const std::size_t limit : {default_settings::async_calls, count}) {
      Deferring deferring(2, limit);
      const std::size_t before = pending_of("");
      std::vector<std::shared_ptr<Attempt>> attempts(count);
      const auto one = attempt_for_slots(deferring.flow);
      for (auto& each : attempts) {
        each = std::make_shared<Attempt>();
        each->flow = one->flow;
        each->step = one->step;
        each->options = one->options;
        each->run_id = one->run_id;
      }
      deferring.slots->start(attempts);
      std::size_t finished = 0;
      CHECK(eventually([&] {
        finished += deferring.slots->take_finished().size();
        return deferring.slots->pending() + finished == count;
      }));
      CHECK(deferring.slots->pending() == limit);
      CHECK(pending_of("") == before + limit);
      std::size_t accepted = 0;
      for (const TestCall& call : deferring.calls)
        if (call.complete(WEIR_FAILED) == WEIR_OK) ++accepted;
      CHECK(accepted == limit);
      CHECK(deferring.slots->take_finished().size() == limit);
      CHECK(pending_of("") == before);
    }
  }

  TEST_CASE("A5: calls that are pending are counted by the code that they keep") {
    Deferring deferring;
    const auto pend_from = [&](char digit) {
      auto attempt = attempt_for_slots(deferring.flow);
      FlowModule module = deferring.flow.module();
      module.file.sha256 = std::string(2, digit);
      attempt->flow = FlowHandle(std::move(module));
      const std::size_t before = deferring.slots->pending();
      deferring.slots->start({attempt});
      REQUIRE(eventually([&] { return deferring.slots->pending() == before + 1; }));
      return attempt;
    };
    const auto first = pend_from('a');
    pend_from('a');
    pend_from('b');
    CHECK(pending_of("aa") == 2);
    CHECK(pending_of("bb") == 1);
    deferring.slots->abandon(*first);
    CHECK(pending_of("aa") == 2);  // it keeps the code all the same
    for (const TestCall& call : deferring.calls) call.complete(WEIR_FAILED);
    CHECK(pending_of("aa") + pending_of("bb") == 0);
  }

  TEST_CASE("F4: what throws as it is told to stop harms nobody") {
    Deferring deferring;
    const auto attempt = deferring.pend(1).front();
    const TestCall call = deferring.calls.front();
    CHECK(call.on_stop([](void*) { throw 42; }, nullptr) == WEIR_OK);
    attempt->stop.cancel();
    CHECK(deferring.lines.with_levels() ==
          "error: run run-7 waits.s: what it has called when it stops has thrown\n");
    CHECK(call.complete(WEIR_FAILED) == WEIR_OK);
    CHECK(deferring.finished() == attempt);
  }
}
