// Steps that defer their calls, with a worker and a database.
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "integration/worker/worker_rig.hpp"
#include "support/log_lines.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// What handlers have deferred.
class Deferred {
 public:
  TestHandler handler() {
    return [this](TestCall& call) {
      return defer(call) ? std::int32_t{WEIR_PENDING} : call.fail("it cannot be deferred");
    };
  }
  bool defer(TestCall& call) {
    const auto deferred = call.deferred();
    if (!deferred) return false;
    const std::lock_guard lock(mutex_);
    calls_.push_back(*deferred);
    return true;
  }
  std::vector<TestCall> calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  bool await(std::size_t count) {
    return eventually([&] { return calls().size() >= count; });
  }
  // While the thread lives it completes what is deferred.
  std::jthread completing() {
    return std::jthread([this](const std::stop_token& stop) {
      for (std::size_t next = 0; !stop.stop_requested();) {
        std::vector<TestCall> all = calls();
        for (; next < all.size(); ++next) {
          all[next].output("1");
          CHECK(all[next].complete(WEIR_OK) == WEIR_OK);
        }
        std::this_thread::sleep_for(1ms);
      }
    });
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
  // Many begin with each exchange; two would be 350.
  CHECK(std::stoi(query_value("select sequence from weir.worker")) < 200);
  const std::jthread completes = deferred.completing();
  const RunReport report = client.wait(run);
  CHECK(report.summary.status == "completed");
  CHECK(step_of(report, "s").attempts == static_cast<int>(count));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: two workers share deferred calls by the room of each") {
  Deferred deferred;
  std::atomic<bool> all_wait = false;
  const auto waits = [&](TestCall& call) {
    if (deferred.defer(call)) return std::int32_t{WEIR_PENDING};
    while (!all_wait && !call.cancelled()) std::this_thread::sleep_for(1ms);
    return call.output("1");
  };
  const TestFlow flow("waits", {{"s", waits, {}, "map"}});
  const auto with_room = [](std::size_t async_calls) {
    WorkerOptions options = RunningWorker::quick();
    options.slots = 2;
    options.async_calls = async_calls;
    return options;
  };
  const RunningWorker owner({&flow}, with_room(100));
  TestClient client;
  const std::string run = client.start("waits", array_of(304));  // the slots have four of them
  REQUIRE(deferred.await(100));
  const RunningWorker helper({&flow}, with_room(200));
  REQUIRE(deferred.await(300));  // none has ended
  CHECK(query_value("select string_agg(async_calls::text, ',' order by worker_id) from "
                    "weir.workers") == "100,200");
  all_wait = true;
  const std::jthread completes = deferred.completing();
  const RunReport report = client.wait(run);
  CHECK(report.summary.status == "completed");
  CHECK(step_of(report, "s").attempts == 304);
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

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "A7, A8: other steps and flows run though a map that is wider than the room waits") {
  std::mutex mutex;
  std::vector<TestCall> calls;
  std::atomic<bool> go_on = false;
  std::atomic<std::size_t> in_slots = 0;
  const TestFlow wide("wide", {{"s",
                                [&](TestCall& call) {
                                  if (auto later = call.deferred()) {
                                    const std::lock_guard lock(mutex);
                                    calls.push_back(*later);
                                    return std::int32_t{WEIR_PENDING};
                                  }
                                  ++in_slots;
                                  go_on.wait(false);
                                  return call.output("1");
                                },
                                {},
                                "map"}});
  const TestFlow plain("plain", {{"s", returns("2"), {}, "map"}});
  Deferred deferred;
  const TestFlow other("other", {{"s", deferred.handler()}});
  WorkerOptions options = RunningWorker::quick();
  options.slots = 2;
  options.async_calls = 5;
  const RunningWorker worker({&wide, &plain, &other}, options);
  TestClient client;
  const std::string run = client.start("wide", array_of(40));
  const auto taken = [&] {
    const std::lock_guard lock(mutex);
    return calls.size();
  };
  REQUIRE(eventually([&] { return taken() == 5; }));
  // Each needs a claim, and a slot.
  for (int i = 0; i < 3; ++i) CHECK(client.run("plain", "[1, 2, 3]").summary.status == "completed");
  CHECK(taken() == 5);
  CHECK(in_slots <= 1);
  // The next place is another flow's, though many elements were there before.
  const std::string second = client.start("other", "null");
  const auto complete_one = [&] {
    std::unique_lock lock(mutex);
    TestCall call = calls.back();
    calls.pop_back();
    lock.unlock();
    call.output("1");
    CHECK(call.complete(WEIR_OK) == WEIR_OK);
  };
  REQUIRE(eventually([&] {
    if (deferred.calls().empty() && taken() > 0) complete_one();
    return !deferred.calls().empty();
  }));
  TestCall call = deferred.calls().front();
  call.output("3");
  CHECK(call.complete(WEIR_OK) == WEIR_OK);
  CHECK(client.wait(second).summary.status == "completed");
  go_on = true;
  go_on.notify_all();
  REQUIRE(eventually([&] {
    while (taken() > 0) complete_one();
    return client.store().summary(run)->status == "completed";
  }));
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
    run = client.start("waits", array_of(2));
    REQUIRE(deferred.await(2));
    worker.drain();
    TestCall first = deferred.calls()[0];
    first.output(first.fact("task_index"));
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
  again.output(again.fact("task_index"));
  CHECK(again.complete(WEIR_OK) == WEIR_OK);
  const RunReport report = client.wait(run);
  CHECK(report.output->text() == R"({"s": [0, 1]})");
  CHECK(step_of(report, "s").attempts == 2);  // what was given back is not charged
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "A1: logs, facts and resources serve any thread of a deferred call") {
  static std::atomic<int> made = 0, destroyed = 0;
  made = destroyed = 0;
  weir_maker maker{};
  maker.struct_size = sizeof maker;
  maker.create = [](weir_start*, void*) -> void* { return new int(++made); };
  maker.destroy = [](void* resource) {
    delete static_cast<int*>(resource);
    ++destroyed;
  };
  Deferred deferred;
  const TestFlow flow("waits", {{"s", deferred.handler(), {}, "map"}});
  const LogLines lines;
  WorkerOptions options = RunningWorker::quick();
  options.slots = 1;
  const RunningWorker worker({&flow}, options, lines.log());
  TestClient client;
  const std::string run = client.start("waits", array_of(4));
  REQUIRE(deferred.await(4));
  // Each on a thread of its own, which has never been the host's.
  std::vector<std::jthread> threads;
  std::vector<void*> resources(4);
  for (std::size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      const TestCall call = deferred.calls()[i];
      call.log("from thread " + call.fact("task_index"));
      CHECK(call.fact("run_id") == run);
      CHECK(call.fact("flow_input") == "[0, 1, 2, 3]");
      resources[i] = call.acquire("shared", maker);
    });
  threads.clear();
  CHECK(made == 1);
  for (void* const each : resources) CHECK(each == resources[0]);
  // Discarded by one: the others keep it, the next call gets another.
  const TestCall first = deferred.calls()[0];
  first.discard(resources[0]);
  CHECK(*static_cast<int*>(first.acquire("shared", maker)) == 2);
  CHECK(destroyed == 0);
  for (std::size_t i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      TestCall call = deferred.calls()[i];
      CHECK(*static_cast<int*>(resources[i]) == 1);
      call.output(call.fact("task_index"));
      CHECK(call.complete(WEIR_OK) == WEIR_OK);
    });
  threads.clear();
  CHECK(client.wait(run).output->text() == R"({"s": [0, 1, 2, 3]})");
  CHECK(eventually([&] { return destroyed >= 1; }));  // by the worker's loop
  for (int i = 0; i < 4; ++i)
    CHECK(lines.text().contains("run " + run + " waits.s: from thread " + std::to_string(i)));
}

TEST_CASE_FIXTURE(EmptyDatabase, "C9: a deferred call settles in a transaction on any thread") {
  pqxx::connection connection(database());
  {
    pqxx::work work(connection);
    work.exec("drop table if exists public.paid; create table public.paid (run_id uuid not null)");
    work.commit();
  }
  Deferred deferred;
  const TestFlow flow(
      "pays", {{"s", deferred.handler(), {}, "single", {.max_attempts = 2, .base_delay_ms = 1}},
               {"after", [](TestCall& call) { return call.output(call.input); }, {"s"}}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string run = client.start("pays", "null");
  const auto pays = [&](std::size_t which, bool commits) {
    std::jthread([&] {
      TestCall call = deferred.calls()[which];
      pqxx::work work(connection);
      work.exec("insert into public.paid values ('" + call.fact("run_id") + "')");
      const TestCall::Settlement settlement = call.settlement("7");
      CHECK(settlement.outcome == WEIR_OK);
      work.exec(settlement.text);
      commits ? work.commit() : work.abort();
      call.output("\"not looked at\"");
      CHECK(call.complete(WEIR_OK) == WEIR_OK);
    }).join();
  };
  REQUIRE(deferred.await(1));
  pays(0, false);  // it asks for its settlement and does not commit it
  REQUIRE(deferred.await(2));
  pays(1, true);
  CHECK(client.wait(run).output->text() == R"({"after": {"s": 7}})");
  CHECK(query_value("select count(*) from public.paid") == "1");
  CHECK(query_value("select string_agg(concat_ws(' ', outcome, error_code), ', ' order by attempt) "
                    "from weir.attempts where step = 's'") == "failed not_settled, completed");
  CHECK(deferred.calls()[1].settlement("8").outcome == WEIR_CANCELLED);
}

TEST_SUITE_END();
