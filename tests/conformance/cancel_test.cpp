#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

struct Cancelled {
  Cancelled() { worker.loads(one_step()); }
  Error refused(const std::string& run) {
    const auto cancelled = client->cancel(run, "enough");
    REQUIRE_FALSE(cancelled.has_value());
    return cancelled.error();
  }
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
};

}  // namespace

TEST_SUITE("store: cancels") {
  TEST_CASE("C1: a run that no worker holds ends as cancelled at once") {
    Cancelled a;
    const StartedRun queued = start_one(*a.client);
    CHECK(must(a.client->cancel(queued.id, "enough")));
    const RunSummary run = must(a.client->summary(queued.id));
    CHECK(run.status == "cancelled");
    CHECK(run.error == "enough");
    CHECK(run.ended_at.has_value());
    CHECK(a.worker.claim(1).empty());
  }

  TEST_CASE("C1: a run that sleeps ends as cancelled at once") {
    Cancelled a;
    const StartedRun started = start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    const Time now = a.worker.exchange(a.worker.next()).now;
    ExchangeRequest request = a.worker.next();
    request.released = {{run.run, now + 1h}};
    a.worker.exchange(request);
    CHECK(must(a.client->cancel(started.id, "enough")));
    CHECK(must(a.client->summary(started.id)).status == "cancelled");
  }

  TEST_CASE("C1: the worker of a run is told the reason until it heard of it") {
    Cancelled a;
    const StartedRun started = start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    CHECK(must(a.client->cancel(started.id, "enough")));
    CHECK(must(a.client->summary(started.id)).status == "running");
    for (int time = 0; time < 2; ++time) {
      const ExchangeReply reply = a.worker.exchange(a.worker.next());
      REQUIRE(reply.notifications.contains(run.run));
      CHECK(reply.notifications.at(run.run).cancelled == "enough");
    }
    const int count = a.worker.exchange(a.worker.next()).notifications.at(run.run).count;
    ExchangeRequest acknowledging = a.worker.next();
    acknowledging.acknowledged = {{run.run, count}};
    CHECK(a.worker.exchange(acknowledging).notifications.empty());
    a.worker.ends(run.run, {.status = RunStatus::cancelled, .error = "enough"});
    CHECK(must(a.client->summary(started.id)).status == "cancelled");
  }

  TEST_CASE("C1: of two reasons the first is kept") {
    Cancelled a;
    const StartedRun started = start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    CHECK(must(a.client->cancel(started.id, "first")));
    CHECK(must(a.client->cancel(started.id, "second")));
    CHECK(a.worker.exchange(a.worker.next()).notifications.at(run.run).cancelled == "first");
  }

  TEST_CASE("C1: a cancelled run whose worker is gone is not begun again") {
    Cancelled a;
    const StartedRun started = start_one(*a.client);
    a.worker.claim_one();
    CHECK(must(a.client->cancel(started.id, "enough")));
    a.worker.lapses(*a.client);
    TestWorker other(*a.stores);
    other.loads(one_step());
    must(other.session->sweep());
    for (const ClaimedRun& claimed : other.claim(1))
      CHECK(claimed.notifications.cancelled == "enough");
    if (must(a.client->summary(started.id)).status == "running") return;  // that worker ends it
    CHECK(must(a.client->summary(started.id)).status == "cancelled");
  }

  TEST_CASE("C1: a run that is over stays as it is") {
    Cancelled a;
    const StartedRun started = start_one(*a.client);
    a.worker.ends(a.worker.claim_one().run, {.output = json("1")});
    CHECK_FALSE(must(a.client->cancel(started.id, "enough")));
    CHECK(must(a.client->summary(started.id)).status == "completed");
  }

  TEST_CASE("C1: no run is cancelled that is not there") {
    Cancelled a;
    CHECK(a.refused("0191d7a0-0000-7000-8000-000000000001").code == ErrorCode::not_found);
    CHECK(a.refused("totals").code == ErrorCode::invalid_input);
  }

  TEST_CASE("C2: nothing of a paused flow is claimed until it is resumed") {
    Cancelled a;
    start_one(*a.client);
    CHECK(must(a.client->pause("totals")));
    CHECK_FALSE(must(a.client->pause("totals")));
    const ExchangeReply paused = a.worker.exchange(a.worker.next(1));
    CHECK(paused.claimed.empty());
    CHECK(paused.paused == a.worker.versions);
    start_one(*a.client);
    CHECK(a.worker.claim(2).empty());
    CHECK(must(a.client->resume("totals")));
    CHECK_FALSE(must(a.client->resume("totals")));
    CHECK(a.worker.claim(2).size() == 2);
    CHECK(a.worker.exchange(a.worker.next()).paused.empty());
  }

  TEST_CASE("C2: a paused flow does not hold up the others") {
    Cancelled a;
    a.worker.loads(named("other", one_step()));
    start_one(*a.client);
    must(a.client->start("other", {Json()}, {}));
    must(a.client->pause("totals"));
    const auto claimed = a.worker.claim(2);
    REQUIRE(claimed.size() == 1);
    CHECK(claimed[0].version == a.worker.versions[1]);
  }

  TEST_CASE("C2: what a worker holds of a paused flow it can end") {
    Cancelled a;
    const StartedRun started = start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    must(a.client->pause("totals"));
    a.worker.ends(run.run, {.output = json("1")});
    CHECK(must(a.client->summary(started.id)).status == "completed");
  }

  TEST_CASE("C2: no flow is paused that is not there") {
    Cancelled a;
    const auto paused = a.client->pause("total");
    REQUIRE_FALSE(paused.has_value());
    CHECK(paused.error().message == "no flow \"total\" in this database");
    CHECK(paused.error().hint == "did you mean \"totals\"?");
    CHECK(a.client->resume("total").error().code == ErrorCode::not_found);
  }
}
