#include <atomic>
#include <cctype>
#include <latch>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "integration/worker/worker_rig.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("client: waits");

TEST_CASE_FIXTURE(EmptyDatabase, "any number of threads wait for runs on one client") {
  std::latch gate(1);
  const TestFlow flow("gated", {{"hold", [&](TestCall& call) {
                                   gate.wait();
                                   return call.output(call.input);
                                 }}});
  const RunningWorker worker({&flow});
  TestClient rig;
  Client client = client_on(rig.store());
  const std::vector<Json> inputs = {*Json::parse("1"), *Json::parse("2"), *Json::parse("3")};
  const auto started = client.start_many("gated", inputs);
  REQUIRE(started);

  std::atomic<int> right = 0;
  std::atomic<int> reports = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 12; ++i)
    threads.emplace_back([&, i] {
      const auto run = static_cast<std::size_t>(i % 3);
      Client::Watcher watcher;
      if (i >= 9) watcher = [&](const RunReport&) { ++reports; };
      const auto report = client.wait((*started)[run].id, watcher, 30s);
      if (report && report->summary.id == (*started)[run].id &&
          report->summary.status == "completed" && report->input.text() == inputs[run].text())
        ++right;
    });
  CHECK(eventually([&] { return reports >= 3; }));
  gate.count_down();
  threads.clear();
  CHECK(right == 12);
}

TEST_CASE_FIXTURE(EmptyDatabase, "a wait says what it was for when its patience ends") {
  std::latch gate(1);
  const TestFlow flow("gated", {{"hold", [&](TestCall& call) {
                                   gate.wait();
                                   return call.output("1");
                                 }}});
  const RunningWorker worker({&flow});
  TestClient rig;
  Client client = client_on(rig.store());
  const std::string id = rig.start("gated", "1");
  CHECK(client.wait(id, {}, 1ms).error() ==
        Error{.code = ErrorCode::unavailable,
              .kind = "still_running",
              .message = "run " + id + " is not over after 1 ms",
              .hint = "it is still running: weir runs watch " + id});
  gate.count_down();
  std::string shouted = id;
  for (char& c : shouted) c = static_cast<char>(std::toupper(c));
  CHECK(client.wait(shouted, {}, 30s)->summary.id == id);
}

TEST_CASE_FIXTURE(EmptyDatabase, "what is no run is told at once and spoils no other wait") {
  TestClient rig;
  Client client = client_on(rig.store());
  CHECK(client.wait("nonsense").error().kind == "bad_run_id");
  CHECK(client.wait("01890000-0000-7000-8000-000000000000").error().kind == "not_found");
}

TEST_SUITE_END();
