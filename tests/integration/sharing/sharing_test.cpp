// Workers in one process, each with a session and slots of its own, share the map of one run.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "integration/worker/worker_rig.hpp"
#include "support/program.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// Work that takes a while, unless it is told to stop.
void work(TestCall& call, std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!call.cancelled() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(time, 5ms));
}

// A flow "wide" that maps `handler` over its input and gives how many there were.
TestFlow wide(TestHandler handler, OptionOverrides options = {}) {
  return {"wide", {{"each", std::move(handler), {}, "map", options}}};
}

TestHandler doubles(std::chrono::milliseconds time, std::atomic<int>* calls = nullptr) {
  return [time, calls](TestCall& call) {
    if (calls != nullptr) ++*calls;
    work(call, time);
    return call.output(std::to_string(2 * std::stoi(std::string(call.input))));
  };
}

std::string numbers(int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + std::to_string(i);
  return text + "]";
}

std::string doubled(int count) {
  std::string text = R"({"each": [)";
  for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + std::to_string(2 * i);
  return text + "]}";
}

std::string number(const std::string& sql) { return query_value(sql); }

// Elements that have more or less than one completed row.
std::string wrongly_often(int count) {
  return number(
      fmt::format("select count(*) from generate_series(0, {}) i where 1 <> (select count(*) from "
                  "weir.journal j "
                  "where j.outcome = 1 and j.task_index = i)",
                  count - 1));
}

int workers_in_journal() {
  return std::stoi(number("select count(distinct worker_id) from weir.journal where outcome = 1"));
}

// The lease of one live worker that is the run's owner, or that is not, is over and somebody
// sweeps, as if its host had slept: for all others it is dead, and what it still does is refused.
bool ends_lease_of(bool owner) {
  return query_value(
             fmt::format("update weir.worker set lease_until = now() - interval '1 s' where id = ("
                         "select w.id from weir.worker w where w.ended_at is null and "
                         "w.lease_until > now() and "
                         "{} (select from weir.open_run o where o.worker_id = w.id) limit 1); "
                         "select weir.sweep()",
                         owner ? "exists" : "not exists")) == "1";
}

bool some_are_settled(int least) {
  return std::stoi(number("select count(*) from weir.journal where outcome = 1")) >= least;
}

bool both_are_idle() { return number("select count(*) from weir.worker where idle") == "2"; }

bool is_shared() {
  return number("select count(*) from weir.share where worker_id is not null") != "0";
}

// Doubles as doubles() does; but from the hundredth on only once it was seen that the run is shared,
// however quick the machine is.
class SharedDoubles {
 public:
  TestHandler handler(std::chrono::milliseconds time) {
    return [this, doubles = doubles(time)](TestCall& call) {
      const bool waits = std::stoi(std::string(call.input)) >= 100;
      while (waits && !seen_ && !call.cancelled()) std::this_thread::sleep_for(1ms);
      return doubles(call);
    };
  }
  /// Waits for that, and until at least so many are settled.
  bool await(int settled = 0) {
    seen_ = eventually([&] { return is_shared() && some_are_settled(settled); });
    return seen_;
  }

 private:
  std::atomic<bool> seen_ = false;
};

}  // namespace

TEST_SUITE_BEGIN("worker: shares");

TEST_CASE_FIXTURE(EmptyDatabase, "L7: two workers share the map of one run") {
  const TestFlow flow = wide(doubles(5ms));
  const RunningWorker first({&flow}), second({&flow});
  REQUIRE(eventually([] { return both_are_idle(); }));
  const RunReport report = TestClient().run("wide", numbers(300));
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == doubled(300));
  CHECK(number("select count(*) from weir.journal") == "300");
  CHECK(workers_in_journal() == 2);
  CHECK(
      std::stoi(
          number("select min(n) from (select count(*) n from weir.journal group by worker_id) q")) >
      8);  // twice its slots: how even it is depends on the machine, and bench_sharing measures it
  CHECK(number("select count(*) from weir.share") == "0");
  CHECK(number("select count(*) from weir.share_news") == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: a worker that comes later helps at once") {
  const TestFlow flow = wide(doubles(20ms));
  const RunningWorker first({&flow});
  TestClient client;
  const std::string run = client.start("wide", numbers(600));
  REQUIRE(eventually([] { return some_are_settled(1); }));
  std::atomic<int> calls = 0;
  const TestFlow same = wide(doubles(20ms, &calls));
  const RunningWorker second({&same});
  const auto began = std::chrono::steady_clock::now();
  REQUIRE(eventually([&] { return calls > 0; }));
  CHECK(std::chrono::steady_clock::now() - began < 5s);  // a machine may stand still
  CHECK(client.wait(run).output->text() == doubled(600));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: few long elements are shared as well") {
  const TestFlow flow = wide(doubles(300ms));
  const RunningWorker first({&flow}), second({&flow});
  REQUIRE(eventually([] { return both_are_idle(); }));
  const RunReport report = TestClient().run("wide", numbers(8));
  CHECK(report.output->text() == doubled(8));
  CHECK(workers_in_journal() == 2);
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: a shared element knows what any other knows") {
  std::mutex mutex;
  std::set<std::string> facts;
  const TestFlow flow = wide([&](TestCall& call) {
    work(call, 5ms);
    const std::lock_guard lock(mutex);
    facts.insert(call.fact("run_id") + call.fact("flow_input") + call.fact("step") +
                 call.fact("attempt"));
    return call.output(call.fact("task_index"));
  });
  const RunningWorker first({&flow}), second({&flow});
  REQUIRE(eventually([] { return both_are_idle(); }));
  const RunReport report = TestClient().run("wide", numbers(100));
  CHECK(workers_in_journal() == 2);
  CHECK(facts.size() == 1);
  CHECK(facts.begin()->starts_with(report.summary.id + "[0, 1, 2"));
  CHECK(report.output->text().starts_with(R"({"each": [0, 1, 2, 3)"));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: the map of a map is shared with its own inputs") {
  const TestFlow flow(
      "wide", {{"each", doubles(3ms), {}, "map"}, {"again", doubles(3ms), {"each"}, "map"}});
  const RunningWorker first({&flow}), second({&flow});
  REQUIRE(eventually([] { return both_are_idle(); }));
  const RunReport report = TestClient().run("wide", numbers(200));
  CHECK(report.output->text().starts_with(R"({"again": [0, 4, 8, 12)"));
  CHECK(number("select count(distinct (step, worker_id)) from weir.journal") == "4");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F2: shared elements that fail are tried again when their owner says so") {
  const TestFlow flow = wide(
      [](TestCall& call) {
        work(call, 5ms);
        if (call.fact("attempt") == "1" && std::stoi(std::string(call.input)) % 10 == 0)
          return call.fail("not yet");
        return call.output(call.input);
      },
      {.base_delay_ms = 5});
  const RunningWorker first({&flow}), second({&flow});
  REQUIRE(eventually([] { return both_are_idle(); }));
  const RunReport report = TestClient().run("wide", numbers(200));
  CHECK(report.summary.status == "completed");
  CHECK(workers_in_journal() == 2);
  CHECK(number("select count(*) from weir.journal where outcome = 2 and attempt = 1") == "20");
  CHECK(number("select count(*) from weir.journal where outcome = 1 and attempt = 2") == "20");
  CHECK(wrongly_often(200) == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F6: a failure anywhere ends the run and stops what helpers run of it") {
  std::atomic<int> stopped = 0;
  const TestFlow flow = wide([&](TestCall& call) {
    const int element = std::stoi(std::string(call.input));
    if (element == 0) {
      REQUIRE(eventually([] { return is_shared(); }));
      work(call, 50ms);
      return call.fail("no", WEIR_FAILED_FOR_GOOD);
    }
    work(call, 20s);
    if (call.cancelled()) ++stopped;
    return call.output("1");
  });
  const RunningWorker first({&flow}), second({&flow});
  REQUIRE(eventually([] { return both_are_idle(); }));
  const auto began = std::chrono::steady_clock::now();
  const RunReport report = TestClient().run("wide", numbers(50));
  CHECK(report.summary.status == "failed");
  CHECK(std::chrono::steady_clock::now() - began < 5s);
  CHECK(eventually([&] { return stopped >= 7; }));
  CHECK(std::chrono::steady_clock::now() - began < 5s);
  CHECK(number("select count(*) from weir.journal where outcome = 6") == "7");
  CHECK(number("select count(*) from weir.share") == "0");
}

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "L5: a helper that drains gives back what it has not begun and nothing is charged") {
  SharedDoubles doubling;
  const TestFlow flow = wide(doubling.handler(20ms));
  const RunningWorker first({&flow});
  TestClient client;
  const std::string run = client.start("wide", numbers(400));
  REQUIRE(eventually([] { return some_are_settled(1); }));  // the first one owns it
  std::optional<RunningWorker> second;
  second.emplace(std::vector{&flow});
  REQUIRE(doubling.await());
  second->drain();
  CHECK(second->join().has_value());
  CHECK(number("select count(*) from weir.share where worker_id is not null") == "0");
  const RunReport report = client.wait(run);
  CHECK(report.output->text() == doubled(400));
  CHECK(number("select count(*) from weir.journal") == "400");
}

TEST_CASE_FIXTURE(EmptyDatabase, "L5: an owner that drains leaves its shares to the next one") {
  SharedDoubles doubling;
  const TestFlow flow = wide(doubling.handler(20ms));
  std::optional<RunningWorker> first;
  first.emplace(std::vector{&flow});
  TestClient client;
  const std::string run = client.start("wide", numbers(400));
  REQUIRE(eventually([] { return some_are_settled(1); }));
  const RunningWorker second({&flow});
  REQUIRE(doubling.await());
  first->drain();
  CHECK(first->join().has_value());
  CHECK(client.wait(run).output->text() == doubled(400));
  CHECK(wrongly_often(400) == "0");
  CHECK(number("select count(*) from weir.journal") == "400");
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: the owner dies and its helper's work is kept") {
  SharedDoubles doubling;
  const TestFlow flow = wide(doubling.handler(20ms));
  const RunningWorker first({&flow}), second({&flow});
  TestClient client;
  const std::string run = client.start("wide", numbers(400));
  REQUIRE(doubling.await(20));
  REQUIRE(ends_lease_of(true));
  CHECK(client.wait(run).output->text() == doubled(400));
  CHECK(wrongly_often(400) == "0");
  CHECK(workers_in_journal() >= 2);
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: the helper dies and what it held is found again") {
  SharedDoubles doubling;
  const TestFlow flow = wide(doubling.handler(20ms));
  const RunningWorker first({&flow}), second({&flow});
  TestClient client;
  const std::string run = client.start("wide", numbers(400));
  REQUIRE(doubling.await(20));
  REQUIRE(ends_lease_of(false));
  CHECK(client.wait(run).output->text() == doubled(400));
  CHECK(wrongly_often(400) == "0");
  // What ran in its four slots, and what had ended there and was to be journaled in a moment; not what
  // waited.
  CHECK(std::stoi(number("select count(*) from weir.journal where outcome = 5")) <= 16);
}

TEST_CASE_FIXTURE(EmptyDatabase, "L2: whoever dies whenever each element is completed once") {
  const int count = 1'500;
  std::mt19937 random(7);
  const TestFlow flow = wide(doubles(5ms));
  const RunningWorker first({&flow}), second({&flow}), third({&flow});
  TestClient client;
  const std::string run = client.start("wide", numbers(count));
  for (int killed = 0; killed < 8; ++killed) {
    if (!eventually([&] { return some_are_settled(killed * count / 10 + 1); })) break;
    ends_lease_of(random() % 2 == 0);
  }
  const RunReport report = client.wait(run);
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == doubled(count));
  CHECK(wrongly_often(count) == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase, "L6: sharing goes on when the database was away") {
  SharedDoubles doubling;
  const TestFlow flow = wide(doubling.handler(10ms));
  const RunningWorker first({&flow}), second({&flow});
  REQUIRE(eventually([] { return both_are_idle(); }));
  TestClient client;
  const std::string run = client.start("wide", numbers(500));
  REQUIRE(doubling.await());
  for (int times = 0; times < 3; ++times) {
    {
      const DatabaseAway away;
    }
    REQUIRE(eventually([&] { return some_are_settled(times * 100 + 50); }));
  }
  const RunReport report = TestClient().wait(run);
  CHECK(report.output->text() == doubled(500));
  CHECK(number("select count(*) from weir.journal") == "500");
}

TEST_CASE_FIXTURE(EmptyDatabase, "P4: a very wide map completes with every output in its place") {
  const char* const wanted = std::getenv("WEIR_TEST_WIDE");
  const int count = wanted == nullptr ? 5'000 : std::atoi(wanted);
  const TestFlow flow = wide([](TestCall& call) {
    return call.output(std::to_string(2 * std::stoi(std::string(call.input))));
  });
  const RunningWorker first({&flow}), second({&flow});
  REQUIRE(eventually([] { return both_are_idle(); }));
  TestClient client;
  const std::string run = client.start("wide", numbers(count));
  REQUIRE(eventually([&] { return number("select status from weir.run") == "1"; }, 300s));
  const RunReport report = client.wait(run);
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == doubled(count));
  CHECK(number("select count(*) from weir.journal") == std::to_string(count));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L7: a worker in Python takes part") {
  if (std::system("python3 -c '' && psql --version >/dev/null") != 0) return;
  const TestFlow flow = wide([](TestCall& call) {
    work(call, 100ms);
    return call.output(R"({"by": "C++"})");
  });
  const RunningWorker owner({&flow});
  TestClient client;
  const std::string run = client.start("wide", numbers(200));
  const TemporaryFolder folder;
  const Running python("/usr/bin/env", {"python3", SHARE_WORKER, database(), "wide", "each"},
                       folder.path(), folder.path() / "log");
  const RunReport report = client.wait(run);
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text().contains("python"));
  CHECK(report.output->text().contains("C++"));
  CHECK(wrongly_often(200) == "0");
}

TEST_SUITE_END();
