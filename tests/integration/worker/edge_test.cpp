// What one run does, and what somebody does to it, is its own affair: the others go on.
#include <atomic>
#include <initializer_list>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "integration/worker/worker_rig.hpp"
#include "support/admin_session.hpp"
#include "support/output_gate.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

std::string string_of(std::size_t bytes) { return '"' + std::string(bytes, 'x') + '"'; }

// Until the worker has registered them.
void await_flows(TestClient& client, std::initializer_list<const char*> flows) {
  for (const char* flow : flows)
    REQUIRE(eventually([&] { return client.store().flow(flow, std::nullopt).has_value(); }));
}

// The status and the error of a run that has ended, without its outputs, which are large.
std::string end_of(const std::string& id) {
  const std::string run = fmt::format("from weir.runs where run_id = '{}'", id);
  CHECK(eventually([&] { return query_value("select ended_at is not null " + run) == "t"; }));
  return query_value("select concat_ws(': ', status, error) " + run);
}

std::string charged() {
  return query_value("select count(*) from weir.attempts where outcome = 'lost'");
}

}  // namespace

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L8: a transaction that somebody leaves open holds up its own run and no other") {
  std::atomic<bool> go = false;
  const TestFlow flow("held", {{"s", [&](TestCall& call) {
                                  while (!go) std::this_thread::sleep_for(1ms);
                                  return call.output("1");
                                }}});
  const TestFlow quick("quick", {{"s", returns("1")}});
  const RunningWorker worker({&flow, &quick});
  TestClient client;
  await_flows(client, {"held", "quick"});
  const std::string locked = client.start("held", "null");
  REQUIRE(eventually([&] {
    return query_value("select count(*) from weir.attempts where outcome = 'running'") == "1";
  }));
  AdminSession user(database());
  user.run("begin");
  user.run(fmt::format("select weir.cancel('{}', 'enough')", locked));
  go = true;
  for (int run = 0; run < 20; ++run)
    CHECK(client.run("quick", "null").summary.status == "completed");
  CHECK(query_value("select status from weir.runs where flow = 'held'") == "running");
  user.run("rollback");
  CHECK(client.wait(locked).summary.status == "completed");
  CHECK(query_value("select count(*) from weir.workers") == "1");
  CHECK(charged() == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L8: a signal that holds up the release of its run is not forgotten with it") {
  std::atomic<bool> go = false;
  const TestFlow flow("paid", {{"s",
                                [&](TestCall& call) {
                                  while (!go) std::this_thread::sleep_for(1ms);
                                  return call.output("1");
                                }},
                               TestFlow::wait("paid", {"s"}, 3'600'000)});
  const RunningWorker worker({&flow});
  TestClient client;
  for (int round = 0; round < 5; ++round) {
    go = false;
    const std::string id = client.start("paid", "null");
    REQUIRE(eventually([&] {
      return query_value("select count(*) from weir.attempts where outcome = 'running'") == "1";
    }));
    AdminSession user(database());
    user.run("begin");
    user.run(fmt::format("select weir.signal('{}', 'paid', '5')", id));
    go = true;
    const std::string sequence = query_value("select sequence + 4 from weir.worker");
    REQUIRE(eventually([&] {  // the run has been busy for a while
      return query_value(fmt::format("select sequence > {} from weir.worker", sequence)) == "t";
    }));
    user.run("commit");
    CHECK(client.wait(id).summary.status == "completed");
  }
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F9: a value that PostgreSQL cannot store fails its own run and no other") {
  std::atomic<int> began = 0;
  const TestFlow bad("bad", {{"s", [&](TestCall& call) {
                                ++began;
                                return call.output("0e2000000000");
                              }}});
  const TestFlow slow("slow", {{"s", [&](TestCall& call) {
                                  while (began < 3) std::this_thread::sleep_for(1ms);
                                  return call.output("1");
                                }}});
  const RunningWorker worker({&bad, &slow});
  TestClient client;
  await_flows(client, {"bad", "slow"});
  const std::string innocent = client.start("slow", "null");
  for (int run = 0; run < 3; ++run) {
    const RunReport report = client.run("bad", "null");
    CHECK(report.summary.status == "failed");
    CHECK(report.summary.error ==
          "the database cannot store a value of it: value overflows numeric format (let its steps "
          "return less, or another value)");
  }
  CHECK(client.wait(innocent).summary.status == "completed");
  CHECK(query_value("select count(*) from weir.workers") == "1");
  CHECK(charged() == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase, "P7: a run whose output is too large fails and says so") {
  const auto large = [](TestCall& call) { return call.output(string_of(15'000'000)); };
  std::vector<TestFlow::Step> steps;
  for (int i = 0; i < 9; ++i) steps.push_back({fmt::format("s{}", i), large});
  const TestFlow flow("large", steps);
  const TestFlow quick("quick", {{"s", returns("1")}});
  const RunningWorker worker({&flow, &quick});
  TestClient client;
  await_flows(client, {"large", "quick"});
  const std::string id = client.start("large", "null");
  CHECK(client.run("quick", "null").summary.status == "completed");
  const std::string error = end_of(id);
  CHECK_MESSAGE(error.starts_with("failed: the output of the run has 135000"), error);
  CHECK(error.ends_with(" bytes, at most 134217728 are allowed: let its final steps return less"));
  CHECK(charged() == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase, "L10: while a large output is written other runs go on") {
  const TestFlow large("large",
                       {{"s", [](TestCall& call) { return call.output(string_of(2'000'000)); }},
                        {"after", returns("1"), {"s"}}});
  const TestFlow last("last",
                      {{"s", [](TestCall& call) { return call.output(string_of(2'000'000)); }}});
  const TestFlow quick("quick", {{"s", returns("1")}});
  WorkerOptions options = RunningWorker::quick();
  options.lease = 2s;
  const RunningWorker worker({&large, &last, &quick}, options);
  TestClient client;
  await_flows(client, {"large", "last", "quick"});
  OutputGate gate(database(), 1'000'000);
  for (const char* const flow : {"large", "last"}) {
    gate.close();
    const std::string id = client.start(flow, "null");
    REQUIRE(gate.is_waited_at());
    const auto until = std::chrono::steady_clock::now() + options.lease + 1s;
    while (std::chrono::steady_clock::now() < until)
      CHECK(client.run("quick", "null").summary.status == "completed");
    CHECK(query_value(fmt::format("select status from weir.runs where run_id = '{}'", id)) ==
          "running");
    gate.open();
    CHECK(end_of(id) == "completed");
  }
  CHECK(query_value("select count(*) from weir.journal") ==
        query_value("select count(*) + 1 from weir.run"));
  CHECK(query_value("select count(*) from weir.workers") == "1");
  CHECK(charged() == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L1: outputs that take longer to write than a lease lose nobody's lease") {
  const TestFlow large("large",
                       {{"s", [](TestCall& call) { return call.output(string_of(16'000'000)); }}});
  std::atomic<int> ended = 0;
  const TestFlow neighbour("neighbour", {{"s", [&](TestCall& call) {
                                            while (ended < 4) std::this_thread::sleep_for(1ms);
                                            return call.output("1");
                                          }}});
  WorkerOptions options = RunningWorker::quick();
  options.lease = 3s;
  const RunningWorker worker({&large, &neighbour}, options);
  TestClient client;
  await_flows(client, {"large", "neighbour"});
  const std::string id = client.start("neighbour", "null");
  std::vector<std::string> all;
  for (int run = 0; run < 4; ++run) all.push_back(client.start("large", "null"));
  for (const std::string& each : all) {
    CHECK(end_of(each) == "completed");
    ++ended;
  }
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(query_value("select count(*) from weir.workers") == "1");
  CHECK(charged() == "0");
}
