// Steps that defer their calls, with a worker and a database.
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "integration/worker/worker_rig.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// What handlers have deferred.
class Deferred {
 public:
  TestHandler handler() {
    return [this](TestCall& call) {
      auto deferred = call.deferred();
      if (!deferred) return call.fail("it cannot be deferred");
      const std::lock_guard lock(mutex_);
      calls_.push_back(*deferred);
      return std::int32_t{WEIR_PENDING};
    };
  }
  std::vector<TestCall> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  bool await(std::size_t count) {
    return eventually([&] { return calls().size() >= count; });
  }

 private:
  std::mutex mutex_;
  std::vector<TestCall> calls_;
};

std::string array_of(std::size_t count) {
  std::string array = "[0";
  for (std::size_t i = 1; i < count; ++i) array += "," + std::to_string(i);
  return array + "]";
}

}  // namespace

TEST_SUITE_BEGIN("worker: deferred steps");

TEST_CASE_FIXTURE(EmptyDatabase, "A1: hundreds of calls wait at once beside two slots") {
  Deferred deferred;
  const TestFlow flow("waits", {{"s", deferred.handler(), {}, "map"}});
  WorkerOptions options = RunningWorker::quick();
  options.slots = 2;
  const RunningWorker worker({&flow}, options);
  TestClient client;
  constexpr std::size_t count = 700;
  const std::string run = client.start("waits", array_of(count));
  REQUIRE(deferred.await(count));  // none has ended
  const std::jthread completes([&] {
    for (TestCall& call : deferred.calls()) {
      call.output("1");
      CHECK(call.complete(WEIR_OK) == WEIR_OK);
    }
  });
  const RunReport report = client.wait(run);
  CHECK(report.summary.status == "completed");
  CHECK(step_of(report, "s").attempts == static_cast<int>(count));
}

TEST_CASE_FIXTURE(EmptyDatabase, "A4: where no more may be deferred the others wait in slots") {
  std::atomic<int> deferred = 0, refused = 0;
  std::mutex mutex;
  std::vector<TestCall> calls;
  const TestFlow flow("waits", {{"s",
                                 [&](TestCall& call) {
                                   if (auto later = call.deferred()) {
                                     ++deferred;
                                     const std::lock_guard lock(mutex);
                                     calls.push_back(*later);
                                     return std::int32_t{WEIR_PENDING};
                                   }
                                   ++refused;
                                   return call.output("2");
                                 },
                                 {},
                                 "map"}});
  WorkerOptions options = RunningWorker::quick();
  options.async_calls = 3;
  const RunningWorker worker({&flow}, options);
  TestClient client;
  const std::string run = client.start("waits", array_of(50));
  REQUIRE(eventually([&] { return deferred + refused == 50; }));
  CHECK(deferred == 3);
  for (TestCall& call : calls) {
    call.output("1");
    CHECK(call.complete(WEIR_OK) == WEIR_OK);
  }
  CHECK(client.wait(run).summary.status == "completed");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F4: a deferred call that is not completed times out and is tried again") {
  Deferred deferred;
  const TestFlow flow("waits", {{"s",
                                 deferred.handler(),
                                 {},
                                 "single",
                                 {.max_attempts = 2, .base_delay_ms = 1, .timeout_ms = 50}}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string run = client.start("waits", "null");
  REQUIRE(deferred.await(2));  // after the time to stop of the first
  std::vector<TestCall> calls = deferred.calls();
  CHECK(calls[0].output("1") != 0);
  CHECK(calls[0].complete(WEIR_OK) == WEIR_CANCELLED);
  const RunReport report = client.wait(run);
  CHECK(report.summary.status == "failed");
  CHECK(report.summary.error->contains(
      "no result within 50 ms; it ignores that it was told to stop and has not completed its "
      "deferred call"));
  CHECK(calls[1].complete(WEIR_OK) == WEIR_CANCELLED);
}

TEST_CASE_FIXTURE(EmptyDatabase, "C1: a deferred call of a run that is cancelled is told to stop") {
  Deferred deferred;
  const TestFlow flow("waits", {{"s", deferred.handler()}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string run = client.start("waits", "null");
  REQUIRE(deferred.await(1));
  const TestCall call = deferred.calls().front();
  std::atomic<bool> told = false;
  CHECK(call.on_stop([](void* user) { *static_cast<std::atomic<bool>*>(user) = true; }, &told) ==
        WEIR_OK);
  REQUIRE(client.store().cancel(run, ""));
  CHECK(client.wait(run).summary.status == "cancelled");
  CHECK(eventually([&] { return told.load(); }));
  CHECK(call.complete(WEIR_CANCELLED) == WEIR_OK);  // in its time to stop: the worker refuses it
}

TEST_CASE_FIXTURE(EmptyDatabase, "L5: a drain waits for deferred calls and gives the others back") {
  Deferred deferred;
  const TestFlow flow("waits", {{"s", deferred.handler(), {}, "map"}});
  WorkerOptions options = RunningWorker::quick();
  options.drain_timeout = 500ms;
  TestClient client;
  std::string run;
  {
    RunningWorker worker({&flow}, options);
    run = client.start("waits", "[1, 2]");
    REQUIRE(deferred.await(2));
    worker.drain();
    TestCall first = deferred.calls()[0];
    first.output("1");
    CHECK(first.complete(WEIR_OK) == WEIR_OK);
    const auto ended = worker.join();
    REQUIRE(ended);
    CHECK(ended->handlers_left == 1);
  }
  CHECK(deferred.calls()[1].complete(WEIR_OK) == WEIR_CANCELLED);
  CHECK(query_value("select count(*) from weir.attempts where outcome = 'completed'") == "1");
  const RunningWorker next({&flow});
  REQUIRE(deferred.await(3));
  TestCall again = deferred.calls()[2];
  again.output("2");
  CHECK(again.complete(WEIR_OK) == WEIR_OK);
  const RunReport report = client.wait(run);
  CHECK(report.output->text() == R"({"s": [1, 2]})");
  CHECK(step_of(report, "s").attempts == 2);  // what was given back is not charged
}

TEST_SUITE_END();
