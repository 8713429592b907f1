#include <algorithm>
#include <numeric>
#include <thread>

#include <fmt/core.h>

#include "conformance/test_worker.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

struct Leases {
  Leases() { worker.loads(flow({step("a"), of_kind("map", "b", {"a"})})); }

  // Another worker that has loaded the same.
  TestWorker next_worker() {
    TestWorker next(*stores);
    next.versions = worker.versions;
    return next;
  }

  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
};

void check_lost(TestWorker& worker, const ExchangeRequest& request) {
  const auto reply = worker.session->exchange(request);
  REQUIRE_FALSE(reply.has_value());
  CHECK(reply.error().code == ErrorCode::lease_lost);
  CHECK(reply.error().message == fmt::format("worker {} has lost its lease", worker.id));
  CHECK(reply.error().hint == "other workers have its runs now; it joins again as a new worker");
}

// Everything a worker can say, of two runs it holds; and one more claim.
ExchangeRequest full_request(TestWorker& worker, RunKey first, RunKey second) {
  ExchangeRequest request = worker.next(10);
  request.settled.push_back({first, completed(0, 0, 1, "[1]"), {}});
  request.ended.push_back({first, {.output = json("1")}});
  request.released.push_back({second, {}});
  return request;
}

}  // namespace

TEST_SUITE("store: leases") {
  TEST_CASE("L1: an exchange sets the lease anew") {
    Leases a;
    CHECK(must(a.client->workers_alive()) == 1);
    a.worker.lapses(*a.client);
    CHECK(must(a.client->workers_alive()) == 0);
  }

  TEST_CASE("L1: a worker lives for as long as its exchanges renew the lease") {
    Leases a;
    TestWorker silent(*a.stores);
    ExchangeRequest brief = silent.next();
    brief.lease = 300ms;
    silent.exchange(brief);
    // The one that goes on talking outlives its leases many times over.
    REQUIRE(eventually([&] {
      ExchangeRequest request = a.worker.next();
      request.lease = 5s;
      a.worker.exchange(request);
      return must(a.client->workers_alive()) == 1;
    }));
    a.worker.exchange(a.worker.next());
  }

  TEST_CASE("L2: nothing is written for a worker whose lease lapsed") {
    Leases a;
    const auto started = must(a.client->start("totals", std::vector<Json>(3), {}));
    const auto claimed = a.worker.claim(2);
    a.worker.lapses(*a.client);
    check_lost(a.worker, full_request(a.worker, claimed[0].run, claimed[1].run));
    CHECK(journal_of(*a.worker.session, claimed[0].run).empty());
    CHECK(must(a.client->summary(started[0].id)).status == "running");
    CHECK(must(a.client->summary(started[2].id)).status == "queued");
    TestWorker next = a.next_worker();
    CHECK(next.claim(10).size() == 1);  // its runs are still its own until it is swept
  }

  TEST_CASE("L2: nothing is written for a worker that was swept") {
    Leases a;
    const auto started = must(a.client->start("totals", std::vector<Json>(2), {}));
    const auto claimed = a.worker.claim(2);
    a.worker.lapses(*a.client);
    TestWorker next = a.next_worker();
    CHECK(must(next.session->sweep()) == 1);
    CHECK(next.claim(10).size() == 2);
    check_lost(a.worker, full_request(a.worker, claimed[0].run, claimed[1].run));
    CHECK(journal_of(*a.worker.session, claimed[0].run).empty());
    CHECK(must(a.client->summary(started[0].id)).status == "running");
  }

  TEST_CASE("L2: nothing is written for a worker that left or never was") {
    Leases a;
    start_one(*a.client);
    must(a.worker.session->leave(a.worker.id));
    check_lost(a.worker, a.worker.next(1));
    TestWorker never(*a.stores);
    never.id += 1'000;
    check_lost(never, never.next(1));
  }

  TEST_CASE("L3: a sweep journals what was in flight as lost and frees the runs") {
    Leases a;
    must(a.client->start("totals", std::vector<Json>(2), {}));
    const auto claimed = a.worker.claim(2);
    a.worker.journals(claimed[0].run, completed(0, 0, 1, "[1,2]"));
    a.worker.journals(claimed[0].run, failed(1, 1, 1, "boom"));
    a.worker.in_flight = {{claimed[0].run, {1, 0}, 1}, {claimed[0].run, {1, 1}, 2}};
    a.worker.lapses(*a.client);

    TestWorker next = a.next_worker();
    CHECK(next.claim(10).empty());
    CHECK(must(next.session->sweep()) == 1);
    CHECK(must(next.session->sweep()) == 0);
    const auto rows = journal_of(*next.session, claimed[0].run);
    REQUIRE(rows.size() == 4);
    for (const std::size_t lost : {std::size_t{1}, std::size_t{3}}) {
      CHECK(rows[lost].outcome == Outcome::lost);
      CHECK(rows[lost].error_code == "lost");
      CHECK(rows[lost].error ==
            fmt::format("worker {} on here (pid 42) vanished while this ran", a.worker.id));
      CHECK_FALSE(rows[lost].output.has_value());
    }
    CHECK(rows[1].task == TaskId{1, 0});
    CHECK(rows[1].attempt == 1);
    CHECK(rows[3].task == TaskId{1, 1});
    CHECK(rows[3].attempt == 2);
    CHECK(journal_of(*next.session, claimed[1].run).empty());

    const auto again = next.claim(10);
    REQUIRE(again.size() == 2);
    CHECK(again[0].has_history);
    CHECK(again[1].has_history);
  }

  TEST_CASE("L3: what a worker gave back or ended is not lost with it") {
    Leases a;
    must(a.client->start("totals", std::vector<Json>(2), {}));
    const auto claimed = a.worker.claim(2);
    a.worker.in_flight = {{claimed[0].run, {0, 0}, 1}, {claimed[1].run, {0, 0}, 1}};
    ExchangeRequest request = a.worker.next();
    request.ended.push_back({claimed[0].run, {.output = json("1")}});
    request.released.push_back({claimed[1].run, {}});
    a.worker.exchange(request);
    a.worker.lapses(*a.client);
    CHECK(must(a.worker.session->sweep()) == 1);
    CHECK(journal_of(*a.worker.session, claimed[0].run).empty());
    CHECK(journal_of(*a.worker.session, claimed[1].run).empty());
  }

  TEST_CASE("L3: a worker that died of its own confusion keeps nobody from being swept") {
    Leases a;
    start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    a.worker.journals(run.run, completed(0, 0, 1, "[]"));
    a.worker.in_flight = {{run.run, {0, 0}, 1}};  // which it has journaled
    a.worker.lapses(*a.client);
    TestWorker next = a.next_worker();
    CHECK(must(next.session->sweep()) == 1);
    CHECK(journal_of(*next.session, run.run).size() == 1);
    CHECK(next.claim_one().run == run.run);
  }

  TEST_CASE("L3: living workers are not swept") {
    Leases a;
    start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    TestWorker next = a.next_worker();
    CHECK(must(next.session->sweep()) == 0);
    CHECK(next.claim(1).empty());
    a.worker.journals(run.run, completed(0, 0, 1, "[]"));
  }

  TEST_CASE("L3: sweepers that race count each dead worker once") {
    Leases a;
    constexpr int dead_count = 10;
    std::vector<TestWorker> dead;
    must(a.client->start("totals", std::vector<Json>(dead_count), {}));
    for (int i = 0; i < dead_count; ++i) {
      dead.push_back(a.next_worker());
      dead.back().in_flight = {{dead.back().claim_one().run, {0, 0}, 1}};
      dead.back().lapses(*a.client);
    }
    std::vector<int> swept(6);
    {
      std::vector<std::jthread> threads;
      for (int& mine : swept)
        threads.emplace_back([&, session = std::shared_ptr(a.stores->worker_session())] {
          mine = session->sweep().value();
        });
    }
    CHECK(std::accumulate(swept.begin(), swept.end(), 0) == dead_count);
    const auto claimed = a.worker.claim(100);
    CHECK(claimed.size() == dead_count);
    for (const ClaimedRun& run : claimed) CHECK(journal_of(*a.worker.session, run.run).size() == 1);
  }

  TEST_CASE("L3: a sweep and the worker it is about to declare dead never both win") {
    Leases a;
    const auto sweeper = a.stores->worker_session();
    for (int round = 0; round < 20; ++round) {
      start_one(*a.client);
      TestWorker late = a.next_worker();
      const RunKey run = late.claim_one().run;
      late.in_flight = {{run, {0, 0}, 1}};
      ExchangeRequest brief = late.next();
      brief.lease = std::chrono::milliseconds(1 + round % 5);
      late.exchange(brief);
      Result<ExchangeReply> reply;
      {
        late.in_flight.clear();
        ExchangeRequest request = late.next();
        request.settled.push_back({run, completed(0, 0, 1, "[]"), {}});
        request.ended.push_back({run, {.output = json("{}")}});
        const std::jthread settling([&] { reply = late.session->exchange(request); });
        must(sweeper->sweep());
      }
      if (!reply)
        REQUIRE(eventually(
            [&] { return must(sweeper->sweep()) == 1 || !journal_of(*sweeper, run).empty(); }));
      const auto rows = journal_of(*sweeper, run);
      REQUIRE(rows.size() == 1);
      CHECK(rows[0].outcome == (reply ? Outcome::completed : Outcome::lost));
      if (!reply) {
        CHECK(reply.error().code == ErrorCode::lease_lost);
        a.worker.ends(a.worker.claim_one().run, {.status = RunStatus::cancelled});
      }
    }
  }

  TEST_CASE("L5: what a worker holds when it leaves is free at once and uncharged") {
    Leases a;
    start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    a.worker.in_flight = {{run.run, {0, 0}, 1}};
    a.worker.exchange(a.worker.next());
    must(a.worker.session->leave(a.worker.id));
    CHECK(must(a.client->workers_alive()) == 0);
    TestWorker next = a.next_worker();
    CHECK(next.claim_one().run == run.run);
    CHECK(journal_of(*next.session, run.run).empty());
    CHECK(must(next.session->sweep()) == 0);
  }

  TEST_CASE("L5: leaving twice does no harm") {
    Leases a;
    must(a.worker.session->leave(a.worker.id));
    must(a.worker.session->leave(a.worker.id));
    CHECK(must(a.client->workers_alive()) == 0);
  }

  TEST_CASE("L6: a request that is made again gives the same answer and writes nothing twice") {
    Leases a;
    const auto started = must(a.client->start("totals", std::vector<Json>(6), {}));
    const auto held = a.worker.claim(2);
    const ExchangeRequest request = [&] {
      ExchangeRequest all = full_request(a.worker, held[0].run, held[1].run);
      all.claims_max = 2;
      return all;
    }();
    const ExchangeReply first = a.worker.exchange(request);
    const ExchangeReply second = a.worker.exchange(request);
    REQUIRE(first.claimed.size() == 2);
    REQUIRE(second.claimed.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(second.claimed[i].run == first.claimed[i].run);
      CHECK(second.claimed[i].id == first.claimed[i].id);
      CHECK(second.claimed[i].input == first.claimed[i].input);
      CHECK(second.claimed[i].has_history == first.claimed[i].has_history);
    }
    CHECK(journal_of(*a.worker.session, held[0].run).size() == 1);
    CHECK(must(a.client->summary(started[0].id)).status == "completed");
    CHECK(a.worker.claim(10).size() == 3);
  }

  TEST_CASE("L6: a request that is made again leaves alone what it gave back") {
    Leases a;
    start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    ExchangeRequest request = a.worker.next();
    request.released.push_back({run.run, {}});
    a.worker.exchange(request);
    TestWorker next = a.next_worker();
    CHECK(next.claim_one().run == run.run);
    CHECK(a.worker.exchange(request).claimed.empty());
    next.journals(run.run, completed(0, 0, 1, "[]"));
    next.ends(run.run, {.output = json("{}")});
  }

  TEST_CASE("L6: a gap in the sequence shows that commits were lost and nothing is written") {
    Leases a;
    start_one(*a.client);
    a.worker.exchange(a.worker.next());
    ++a.worker.sequence;
    const auto reply = a.worker.session->exchange(a.worker.next(1));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().code == ErrorCode::lease_lost);
    CHECK(reply.error().kind == commits_lost);
    CHECK(reply.error().message ==
          fmt::format("the database has lost 1 commits of worker {}", a.worker.id));
    CHECK(a.next_worker().claim(1).size() == 1);
  }

  TEST_CASE("L6: a worker whose claims were lost goes on with the runs that it holds") {
    Leases a;
    must(a.client->start("totals", std::vector<Json>(2), {}));
    const RunKey held = a.worker.claim_one().run;
    a.worker.exchange(a.worker.next());
    a.worker.sequence += 2;  // lost with what they had claimed
    const ExchangeRequest refused = a.worker.next();
    REQUIRE_FALSE(a.worker.session->exchange(refused).has_value());

    const std::int64_t next = refused.sequence + 1;
    const auto resume = [&](std::int64_t sequence, std::int64_t settled) {
      return a.worker.session->resume(a.worker.id, sequence, settled, long_lease);
    };
    CHECK(must(resume(next, 1)) == std::vector{held});
    CHECK(must(resume(next, 1)) == std::vector{held});  // the answer was lost
    const auto late = a.worker.session->exchange(refused);
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().code == ErrorCode::lease_lost);
    a.worker.sequence = next;
    a.worker.journals(held, completed(0, 0, 1, "[]"));
    CHECK_FALSE(resume(next, 1).has_value());  // it is over
  }

  TEST_CASE("L6: a worker does not go on where the database has lost what it has settled") {
    Leases a;
    start_one(*a.client);
    const RunKey run = a.worker.claim_one().run;
    a.worker.exchange(a.worker.next());
    const std::int64_t seen = a.worker.sequence;
    const auto resumed = a.worker.session->resume(a.worker.id, seen + 3, seen + 1, long_lease);
    REQUIRE_FALSE(resumed.has_value());
    CHECK(resumed.error().code == ErrorCode::lease_lost);
    CHECK(resumed.error().message ==
          fmt::format("the database has lost what worker {} has settled", a.worker.id));
    must(a.worker.session->leave(a.worker.id));  // it lives, and says so: nothing is charged
    TestWorker next = a.next_worker();
    CHECK(next.claim_one().run == run);
    CHECK(journal_of(*next.session, run).empty());
  }

  TEST_CASE("L1: a worker that nobody could sweep for long is given its lease once more") {
    constexpr auto lease = 3s;
    Leases a;
    start_one(*a.client);
    const auto join = [&] {
      TestWorker worker = a.next_worker();
      must(worker.session->leave(worker.id));
      worker.id = must(worker.session->join({.host = "here", .pid = 42}, lease));
      return worker;
    };
    const auto exchange = [&](TestWorker& worker, std::size_t claims_max) {
      ExchangeRequest request = worker.next(claims_max);
      request.lease = lease;
      return worker.exchange(request);
    };
    must(a.worker.session->leave(a.worker.id));
    TestWorker dead = join(), living = join();
    const RunKey run = exchange(dead, 1).claimed.at(0).run;
    dead.in_flight = {{run, {0, 0}, 1}};
    exchange(dead, 0);
    REQUIRE(eventually([&] { return must(a.client->workers_alive()) == 0; }));

    CHECK(must(living.session->sweep()) == 0);  // the first that is back
    CHECK(must(a.client->workers_alive()) == 2);
    exchange(living, 0);
    CHECK(journal_of(*living.session, run).empty());
    REQUIRE(eventually([&] { return must(living.session->sweep()) > 0; }));
    CHECK(journal_of(*living.session, run).size() == 1);  // it did not come back
  }

  TEST_CASE("L6: an older request than the last is refused") {
    Leases a;
    const ExchangeRequest first = a.worker.next();
    a.worker.exchange(first);
    a.worker.exchange(a.worker.next());
    check_lost(a.worker, first);
  }

  TEST_CASE("L2: an attempt that is in the journal already is refused whole") {
    Leases a;
    const StartedRun started = start_one(*a.client);
    const ClaimedRun run = a.worker.claim_one();
    a.worker.journals(run.run, completed(0, 0, 1, "[]"));
    ExchangeRequest request = a.worker.next();
    request.settled.push_back({run.run, completed(0, 0, 1, "[2]"), {}});
    request.ended.push_back({run.run, {.output = json("1")}});
    const auto reply = a.worker.session->exchange(request);
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().code == ErrorCode::conflict);
    CHECK(journal_of(*a.worker.session, run.run).size() == 1);
    CHECK(must(a.client->summary(started.id)).status == "running");
  }
}
