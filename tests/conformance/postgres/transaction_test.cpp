#include <atomic>
#include <barrier>
#include <cstdlib>
#include <thread>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

struct Transactions {
  Transactions() { worker.loads(one_step()); }
  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  AdminSession user{stores.url()};
};

}  // namespace

TEST_SUITE("postgres: starts in a user's transaction") {
  TEST_CASE("S5: a run started in a transaction exists once it commits and not before") {
    Transactions a;
    a.user.run("begin");
    const std::string id =
        a.user.run("select run_id from weir.start('totals', '{\"n\": 1}')").front();
    CHECK(a.worker.claim(1).empty());
    CHECK_FALSE(a.client->summary(id).has_value());
    a.user.run("commit");
    CHECK(a.worker.claim_one().id == id);
  }

  TEST_CASE("S5: a run started in a transaction that is rolled back never was") {
    Transactions a;
    a.user.run("begin");
    const std::string id =
        a.user.run("select run_id from weir.start('totals', '1', idempotency_key => 'k')").front();
    a.user.run("rollback");
    CHECK_FALSE(a.client->summary(id).has_value());
    CHECK(a.worker.claim(1).empty());
    CHECK(start_one(*a.client, "2", {.idempotency_keys = {"k"}}).created);
  }

  TEST_CASE("S5: a commit ends the wait of an idle worker") {
    Transactions a;
    CHECK(a.worker.claim(1).empty());
    a.user.run("begin");
    a.user.run("select * from weir.start('totals', '1')");
    CHECK_FALSE(a.worker.session->wait(std::chrono::milliseconds(20)));
    a.user.run("commit");
    CHECK(a.worker.session->wait(std::chrono::seconds(30)));
  }

  TEST_CASE("S4: a key that an open transaction holds is waited for") {
    Transactions a;
    a.user.run("begin");
    const std::string id =
        a.user.run("select run_id from weir.start('totals', '1', idempotency_key => 'k')").front();
    StartedRun second;
    {
      const std::jthread waiting([&] {
        second = a.client->start("totals", {Json()}, {.idempotency_keys = {"k"}}).value()[0];
      });
      REQUIRE(eventually([&] { return a.stores.waiting_for_locks() > 0; }));
      a.user.run("commit");
    }
    CHECK(second.id == id);
    CHECK_FALSE(second.created);
  }

  TEST_CASE("S4: two clients that race for a key have one run each time") {
    Transactions a;
    const char* const wanted = std::getenv("WEIR_RACES");  // 1000 once
    const int races = wanted == nullptr ? 50 : std::stoi(wanted);
    const auto other = a.stores.client_session();
    for (int race = 0; race < races; ++race) {
      const StartOptions options = {.idempotency_keys = {std::to_string(race)}};
      Result<std::vector<StartedRun>> first, second;
      {
        std::barrier both(2);
        const std::jthread racing([&] {
          both.arrive_and_wait();
          second = other->start("totals", {Json()}, options);
        });
        both.arrive_and_wait();
        first = a.client->start("totals", {Json()}, options);
      }
      REQUIRE(must(first)[0].id == must(second)[0].id);
      REQUIRE(must(first)[0].created != must(second)[0].created);
    }
    CHECK(a.user.run("select count(*) from weir.runs") == Rows{std::to_string(races)});
  }

  TEST_CASE("C4: a signal that is rolled back was never sent") {
    Transactions a;
    a.worker.loads(named("waits", flow({of_kind("wait", "approval")})));
    const auto run = must(a.client->start("waits", {Json()}, {}))[0];
    a.user.run("begin");
    a.user.run("select weir.signal('" + run.id + "', 'approval', '1')");
    a.user.run("rollback");
    CHECK(a.worker.claim_one().notifications.signals.empty());
    CHECK(must(a.client->signal(run.id, "approval", json("2"))));
  }

  TEST_CASE("C4: of callers that race to signal a wait one is told that it did") {
    Transactions a;
    a.worker.loads(named("waits", flow({of_kind("wait", "approval")})));
    const auto run = must(a.client->start("waits", {Json()}, {}))[0];
    std::atomic<int> sent = 0;  // read after the threads ended
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, client = std::shared_ptr(a.stores.client_session())] {
          if (client->signal(run.id, "approval", Json::number(1)).value()) ++sent;
        });
    }
    CHECK(sent == 1);
    CHECK(a.user.run("select name from weir.signals") == Rows{"approval"});
  }

  TEST_CASE("C1: a cancel that races a start of a child leaves none open") {
    Transactions a;
    FlowDraft::Step sub = of_kind("flow", "sub");
    sub.flow = "totals";
    a.worker.loads(named("parent", flow({sub})));
    const auto run = must(a.client->start("parent", {Json()}, {}))[0];
    const RunKey parent = a.worker.claim_one().run;
    a.stores.let_exchanges_wait();
    a.user.run("begin");
    a.user.run(
        fmt::format("select weir.start_child({}, {}, 0::smallint, 1::smallint, 'totals', "
                    "'null')",
                    a.worker.id, parent));
    {
      const std::jthread ending(
          [&] { a.worker.ends(parent, {.status = RunStatus::cancelled, .error = "enough"}); });
      REQUIRE(eventually([&] { return a.stores.waiting_for_locks() > 0; }));
      a.user.run("commit");
    }
    CHECK(a.user.run("select distinct status from weir.runs") == Rows{"cancelled"});
  }

  TEST_CASE("S1: every option of a start has its name in SQL") {
    Transactions a;
    const Rows id = a.user.run(
        "select run_id from weir.start(flow => 'totals', input => '[1]', idempotency_key => 'k',"
        " at => '2099-01-02 03:04:05Z', priority => 7, version => 1, tags => '{a,b}',"
        " run_id => '0191d7a0-0000-7000-8000-000000000001')");
    CHECK(id == Rows{"0191d7a0-0000-7000-8000-000000000001"});
    CHECK(a.user.run(
              "select concat_ws(' ', flow, version, status, priority, input, idempotency_key, tags,"
              " wake_at at time zone 'UTC') from weir.runs") ==
          Rows{"totals 1 queued 7 [1] k {a,b} 2099-01-02 03:04:05"});
  }

  TEST_CASE("S5: many runs are started by one call in SQL") {
    Transactions a;
    CHECK(a.user.run("select count(distinct run_id) from weir.start_many('totals',"
                     " array(select to_jsonb(i) from generate_series(1, 500) as i))") ==
          Rows{"500"});
    CHECK(a.worker.claim(1'000).size() == 500);
  }

  TEST_CASE("S2: what is refused in SQL leaves the transaction's savepoint to its user") {
    Transactions a;
    a.user.run("begin");
    a.user.run("create table orders()");
    a.user.run("savepoint before");
    CHECK_THROWS_WITH_AS(
        a.user.run("select * from weir.start('total', '1')"),
        doctest::Contains("no flow \"total\" in this database\nHINT:  known flows: totals"),
        std::runtime_error);
    a.user.run("rollback to before");
    a.user.run("select * from weir.start('totals', '1')");
    a.user.run("commit");
    CHECK(a.worker.claim(10).size() == 1);
  }
}
