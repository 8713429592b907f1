#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

FlowDraft::Step wait_for(std::string slug, std::string signal,
                         std::vector<std::string> depends_on = {}) {
  FlowDraft::Step wait = of_kind("wait", std::move(slug), std::move(depends_on));
  wait.signal = std::move(signal);
  wait.options.timeout_ms = 86'400'000;
  return wait;
}

// Step 0 is "ask", 1 waits for "approval".
struct Signalled {
  Signalled() {
    worker.loads(flow({step("ask"), wait_for("decision", "approval", {"ask"})}));
    started = start_one(*client);
  }
  Error refused(const std::string& run, const std::string& name) {
    const auto signalled = client->signal(run, name, json("1"));
    REQUIRE_FALSE(signalled.has_value());
    return signalled.error();
  }
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
  StartedRun started;
};

}  // namespace

TEST_SUITE("store: signals") {
  TEST_CASE("C4: a signal that comes before the run is begun is told with its claim") {
    Signalled a;
    CHECK(must(a.client->signal(a.started.id, "approval", json(R"({"by":"ann"})"))));
    const ClaimedRun run = a.worker.claim_one();
    REQUIRE(run.notifications.signals.contains(1));
    CHECK(run.notifications.signals.at(1).text() == R"({"by": "ann"})");
  }

  TEST_CASE("C4: the worker of a run is told of its signal") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    CHECK(run.notifications.signals.empty());
    CHECK(must(a.client->signal(a.started.id, "approval", json("null"))));
    const ExchangeReply reply = a.worker.exchange(a.worker.next());
    REQUIRE(reply.notifications.contains(run.run));
    CHECK(reply.notifications.at(run.run).signals.at(1).text() == "null");
    CHECK_FALSE(reply.notifications.at(run.run).cancelled.has_value());
  }

  TEST_CASE("C4: a signal is told once whatever else the run is told after it") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    must(a.client->signal(a.started.id, "approval", json("5")));
    const auto told = [&](const ExchangeRequest& request) {
      return a.worker.exchange(request).notifications;
    };
    const int count = told(a.worker.next()).at(run.run).count;
    ExchangeRequest heard = a.worker.next();
    heard.acknowledged = {{run.run, count}};
    CHECK_FALSE(told(heard).contains(run.run));
    CHECK(must(a.client->cancel(a.started.id, "enough")));
    const RunNotifications again = told(a.worker.next()).at(run.run);
    CHECK(again.cancelled == "enough");
    CHECK_FALSE(again.signals.contains(1));
  }

  TEST_CASE("C4: who claims a run is told of its signals but those that ended their wait") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    must(a.client->signal(a.started.id, "approval", json("5")));
    ExchangeRequest request = a.worker.next();
    request.released = {{run.run, {}}};
    a.worker.exchange(request);
    REQUIRE(a.worker.claim_one().notifications.signals.contains(1));
    request = a.worker.next();
    request.settled = {{run.run, completed(1, 0, 1, "5"), {}}};
    request.released = {{run.run, {}}};
    a.worker.exchange(request);
    const ClaimedRun again = a.worker.claim_one();
    CHECK(again.notifications.count > 0);
    CHECK_FALSE(again.notifications.signals.contains(1));
  }

  TEST_CASE("C4: of a signal and the end of a wait whichever is first counts") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    const auto close = [&] {
      const auto closed = must(a.worker.session->close_waits(a.worker.id, {{run.run, 1}}));
      REQUIRE(closed.contains({run.run, 1}));
      return closed.at({run.run, 1});
    };
    SUBCASE("the end: the signal is refused") {
      CHECK_FALSE(close().has_value());
      CHECK_FALSE(close().has_value());
      CHECK(a.refused(a.started.id, "approval").kind == "run_over");
      CHECK(a.worker.exchange(a.worker.next()).notifications.empty());
    }
    SUBCASE("the signal: the wait ends by it") {
      CHECK(must(a.client->signal(a.started.id, "approval", json("7"))));
      REQUIRE(close().has_value());
      CHECK(close()->text() == "7");
      CHECK_FALSE(must(a.client->signal(a.started.id, "approval", json("8"))));
    }
  }

  TEST_CASE("L2: nobody else closes a wait of a worker's run") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    TestWorker other(*a.stores);
    CHECK(must(other.session->close_waits(other.id, {{run.run, 1}})).empty());
    CHECK(must(a.client->signal(a.started.id, "approval", json("7"))));
  }

  TEST_CASE("C4: a signal wakes the run that sleeps") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    ExchangeRequest request = a.worker.next();
    request.released = {{run.run, Time{std::chrono::hours(24 * 365 * 200)}}};
    CHECK(a.worker.exchange(request).claimed.empty());
    CHECK(a.worker.claim(1).empty());
    CHECK(must(a.client->signal(a.started.id, "approval", json("1"))));
    const ClaimedRun again = a.worker.claim_one();
    CHECK(again.run == run.run);
    CHECK(again.notifications.signals.contains(1));
  }

  TEST_CASE("C4: a signal that comes while the run is given back frees it at once") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    CHECK(must(a.client->signal(a.started.id, "approval", json("1"))));
    ExchangeRequest request = a.worker.next();
    request.released = {{run.run, Time{std::chrono::hours(24 * 365 * 200)}}};
    a.worker.exchange(request);
    CHECK(a.worker.claim_one().notifications.signals.contains(1));
  }

  TEST_CASE("C4: a signal does not begin a run before its time") {
    Signalled a;
    a.worker.claim_one();
    const StartedRun late = start_one(*a.client, "null", {.delay = 1h});
    CHECK(must(a.client->signal(late.id, "approval", json("1"))));
    CHECK(a.worker.claim(1).empty());
  }

  TEST_CASE("C4: of two signals for a wait the first counts") {
    Signalled a;
    CHECK(must(a.client->signal(a.started.id, "approval", json("1"))));
    CHECK_FALSE(must(a.client->signal(a.started.id, "approval", json("2"))));
    const ClaimedRun run = a.worker.claim_one();
    CHECK(run.notifications.signals.at(1).text() == "1");
    a.worker.journals(run.run, completed(0, 0, 1, "1"));
    a.worker.journals(run.run, completed(1, 0, 1, R"({"signalled": true, "payload": 1})"));
    CHECK_FALSE(must(a.client->signal(a.started.id, "approval", json("3"))));
    a.worker.ends(run.run, {.output = json("1")});
    CHECK_FALSE(must(a.client->signal(a.started.id, "approval", json("4"))));
  }

  TEST_CASE("C4: a signal for a wait that is over is refused") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    a.worker.journals(run.run, completed(0, 0, 1, "1"));
    a.worker.journals(run.run, completed(1, 0, 1, R"({"signalled": false})"));
    const Error error = a.refused(a.started.id, "approval");
    CHECK(error.code == ErrorCode::conflict);
    CHECK(error.kind == "run_over");
    CHECK(error.message == "the wait of run " + a.started.id + " for signal \"approval\" is over");
  }

  TEST_CASE("C4: a signal for a run that is over is refused") {
    Signalled a;
    must(a.client->cancel(a.started.id, "enough"));
    const Error error = a.refused(a.started.id, "approval");
    CHECK(error.kind == "run_over");
    CHECK(error.message == "run " + a.started.id + " is over");
  }

  TEST_CASE("C4: a signal that no step waits for is refused with those there are") {
    Signalled a;
    const Error error = a.refused(a.started.id, "aproval");
    CHECK(error.code == ErrorCode::not_found);
    CHECK(error.message == "run " + a.started.id + " waits for no signal \"aproval\"");
    CHECK(error.hint.contains("approval"));
    CHECK(a.refused("0191d7a0-0000-7000-8000-000000000001", "approval").code ==
          ErrorCode::not_found);
  }

  TEST_CASE("C4: a signal outlives the worker that heard of it") {
    Signalled a;
    const ClaimedRun run = a.worker.claim_one();
    CHECK(must(a.client->signal(a.started.id, "approval", json("1"))));
    ExchangeRequest acknowledging = a.worker.next();
    acknowledging.acknowledged = {{run.run, 1}};
    a.worker.exchange(acknowledging);
    must(a.worker.session->leave(a.worker.id));
    TestWorker other(*a.stores);
    other.loads(flow({step("ask"), wait_for("decision", "approval", {"ask"})}));
    CHECK(other.claim_one().notifications.signals.contains(1));
  }
}
