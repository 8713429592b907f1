#include <string>
#include <vector>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "run/event_name.hpp"
#include "store/postgres/event_feed.hpp"
#include "store/postgres/wakeup_event.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

struct Told {
  Told() { worker.loads(one_step()); }

  ClaimedRun claim() {
    start_one(*client);
    return worker.claim_one();
  }
  void publish(RunKey run, const std::vector<std::string>& names) {
    ExchangeRequest request = worker.next();
    for (const std::string& name : names) request.events.push_back({run, name});
    worker.exchange(request);
  }

  // Until it is told something, or far away.
  void release(RunKey run) {
    const Time now = worker.exchange(worker.next()).now;
    ExchangeRequest request = worker.next();
    request.released = {{run, now + 1h}};
    worker.exchange(request);
  }

  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
};

std::string cancelled(const std::string& run) {
  return fmt::format(R"([{{"flow": "totals", "event": "run:cancelled", "run_id": "{}"}}])", run);
}

// The payloads that came until `count` events were in them.
std::vector<std::string> receive(postgres::EventFeed& feed, std::size_t count) {
  auto wakeup = must(postgres::WakeupEvent::make());
  std::vector<std::string> payloads;
  for (std::size_t events = 0; events < count;) {
    const auto came = must(feed.next(10s, wakeup));
    REQUIRE_FALSE(came.empty());
    for (const std::string& payload : came) {
      events += must(Json::parse(payload)).elements().size();
      payloads.push_back(payload);
    }
  }
  return payloads;
}

}  // namespace

TEST_SUITE("store: events") {
  TEST_CASE("E1: an event says what happened, to which run of which flow") {
    Told a;
    const auto feed = must(postgres::EventFeed::open(a.stores.url()));
    const ClaimedRun run = a.claim();
    a.publish(run.run, {event_name(EventKind::started), event_name(EventKind::completed, "a")});
    const auto payloads = receive(*feed, 2);
    REQUIRE(payloads.size() == 1);  // one notification for all of an exchange
    CHECK(payloads[0] ==
          fmt::format(R"([{{"flow": "totals", "event": "run:started", "run_id": "{0}"}},)"
                      R"({{"flow": "totals", "event": "step:a:completed", "run_id": "{0}"}}])",
                      run.id));
  }

  TEST_CASE("E1: a cancel of a run that no worker holds is published with its transaction") {
    Told a;
    const auto feed = must(postgres::EventFeed::open(a.stores.url()));
    const StartedRun queued = start_one(*a.client);
    CHECK(must(a.client->cancel(queued.id, "enough")));
    CHECK(receive(*feed, 1) == std::vector{cancelled(queued.id)});

    const ClaimedRun asleep = a.claim();
    a.release(asleep.run);
    CHECK(must(a.client->cancel(asleep.id, "enough")));
    CHECK(receive(*feed, 1) == std::vector{cancelled(asleep.id)});
  }

  TEST_CASE("E1: a cancel of which its worker was told too late is published") {
    Told a;
    const auto feed = must(postgres::EventFeed::open(a.stores.url()));
    const ClaimedRun released = a.claim();
    CHECK(must(a.client->cancel(released.id, "enough")));
    a.release(released.run);
    CHECK(receive(*feed, 1) == std::vector{cancelled(released.id)});

    const ClaimedRun lost = a.claim();
    CHECK(must(a.client->cancel(lost.id, "enough")));
    a.worker.lapses(*a.client);
    must(TestWorker(a.stores).session->sweep());
    CHECK(receive(*feed, 1) == std::vector{cancelled(lost.id)});
  }

  TEST_CASE("E1: child runs that end with their parent are published after it") {
    for (const bool apart : {false, true}) {
      CAPTURE(apart);
      Told a;
      const ClaimedRun parent = a.claim();
      const RunKey other = a.claim().run;
      must(a.worker.starts_child(parent.run, 0, 1, "totals", Json()));
      const auto feed = must(postgres::EventFeed::open(a.stores.url()));
      ExchangeRequest request = a.worker.next();
      request.events = {{parent.run, event_name(EventKind::failed)}};
      request.ended = {{parent.run, {.status = RunStatus::failed, .error = "boom"}}};
      // A value of one run that PostgreSQL cannot store makes the session write all runs apart.
      if (apart) request.settled = {{other, completed(0, 0, 1, "1"), {}}};
      if (apart) request.settled[0].row.output = Json::trusted("0e2000000000");
      if (apart) request.events.push_back({other, event_name(EventKind::completed, "a")});
      CHECK(a.worker.exchange(request).refused.contains(other) == apart);
      std::string events;
      for (const std::string& payload : receive(*feed, 2)) events += payload;
      CHECK(events.find("run:failed") < events.find("run:cancelled"));
      CHECK(events.find("run:cancelled") != std::string::npos);
      CHECK_FALSE(events.contains("step:a:completed"));  // it is not written
    }
  }

  TEST_CASE("E1: many events come in order in notifications of less than 8000 bytes") {
    Told a;
    const auto feed = must(postgres::EventFeed::open(a.stores.url()));
    const ClaimedRun run = a.claim();
    std::vector<std::string> names;
    for (int i = 0; i < 300; ++i)
      names.push_back(event_name(EventKind::started, std::to_string(i)));
    a.publish(run.run, names);
    std::vector<std::string> came;
    for (const std::string& payload : receive(*feed, names.size())) {
      CHECK(payload.size() < 8'000);
      for (const Json& event : must(Json::parse(payload)).elements())
        for (const auto& [key, value] : event.members())
          if (key == "event") came.push_back(value.decoded());
    }
    CHECK(came == names);
  }

  TEST_CASE("E1: a worker knows whether anybody listens") {
    Told a;
    CHECK_FALSE(a.worker.exchange(a.worker.next()).has_listeners);
    const auto feed = must(postgres::EventFeed::open(a.stores.url()));
    CHECK(a.worker.exchange(a.worker.next()).has_listeners);
    a.stores.sql("update weir.listening set until = now() - interval '1 s' returning id");
    CHECK_FALSE(a.worker.exchange(a.worker.next()).has_listeners);
  }

  TEST_CASE("E1: nothing is sent while nobody listens") {
    Told a;
    const ClaimedRun run = a.claim();
    const auto feed = must(postgres::EventFeed::open(a.stores.url()));
    a.stores.sql("delete from weir.listening returning id");
    a.publish(run.run, {event_name(EventKind::started)});
    auto wakeup = must(postgres::WakeupEvent::make());
    CHECK(must(feed->next(20ms, wakeup)).empty());
  }
}
