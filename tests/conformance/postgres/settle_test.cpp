#include <thread>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
using Rows = std::vector<std::string>;

namespace {

// A worker that runs step 0 of a run, and its handler's own session with a table of its own.
struct Settling {
  explicit Settling(const FlowDraft& draft = flow({step("a"), step("b")})) {
    worker.loads(draft);
    start_one(*client);
    run = worker.claim_one().run;
    worker.in_flight = {{run, {0, 0}, 1}};
    worker.exchange(worker.next());
    handler.run("create table mine(n integer)");
  }
  std::string call(int attempt = 1, const char* output = "5", const char* until = "1 minute") {
    return fmt::format(
        "select weir.settle({}, {}, 0::smallint, 0, {}::smallint, '{}', null, now(), "
        "clock_timestamp() + interval '{}')",
        worker.id, run, attempt, output, until);
  }
  void begins() {
    handler.run("begin");
    handler.run("insert into mine values (1)");
  }
  // Its transaction cannot commit any more.
  void is_refused(const std::string& statement, const char* words) {
    begins();
    CHECK_THROWS_WITH_AS(handler.run(statement), doctest::Contains(words), std::runtime_error);
    handler.run("commit");
    CHECK(handler.run("select * from mine").empty());
  }
  // The row of the first task's first attempt.
  std::optional<JournalRow> settled() {
    const std::vector<JournalRow> rows = journal_of(*worker.session, run);
    return rows.empty() ? std::nullopt : std::optional(rows.front());
  }
  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  AdminSession handler{stores.url()};
  RunKey run = 0;
};

}  // namespace

TEST_SUITE("postgres: settling in a user's transaction") {
  TEST_CASE("L3: an attempt written beside the exchanges does not end in the database's future") {
    Settling a;
    const std::string times = "now() + interval '1 h', now() + interval '2 h'";
    const auto ends = [&](const std::string& call) {
      a.stores.sql(call);
      return a.stores.sql("select max(ended_at) <= clock_timestamp() from weir.journal").front();
    };
    CHECK(ends(fmt::format(
              "select 1 from weir.resolve_settlement({}, {}, 0::smallint, 0, 1::smallint, "
              "1::smallint, '5', null, null, null, {}, null)",
              a.worker.id, a.run, times)) == "t");
    CHECK(ends(fmt::format(
              "select 1 from weir.record_large_result({}, {}, 0::smallint, 0, 2::smallint, "
              "'5', {}, null, 0)",
              a.worker.id, a.run, times)) == "t");
    CHECK(a.stores.sql("select count(*) from weir.journal").front() == "2");
  }

  TEST_CASE("C9: the step is completed exactly if the handler's transaction commits") {
    Settling a;
    a.begins();
    a.handler.run(a.call());
    CHECK_FALSE(a.settled().has_value());
    a.handler.run("rollback");
    CHECK_FALSE(a.settled().has_value());
    a.begins();
    a.handler.run(a.call());
    a.handler.run("commit");
    const auto row = a.settled();
    REQUIRE(row.has_value());
    CHECK(row->outcome == Outcome::completed);
    CHECK(row->output == json("5"));
    CHECK(a.handler.run("select n from mine") == Rows{"1"});
  }

  TEST_CASE("C9: exchanges of its worker go on while the transaction is open") {
    Settling a;
    a.begins();
    a.handler.run(a.call());
    must(a.client->cancel(must(a.client->runs({}))[0].id, "enough"));
    const ExchangeReply reply = a.worker.exchange(a.worker.next());
    CHECK(reply.notifications.at(a.run).cancelled == "enough");
    ExchangeRequest acknowledging = a.worker.next();
    acknowledging.acknowledged = {{a.run, reply.notifications.at(a.run).count}};
    a.worker.exchange(acknowledging);
    a.worker.journals(a.run, completed(1, 0, 1, "1"));
    a.handler.run("commit");
    CHECK(journal_of(*a.worker.session, a.run).size() == 2);
  }

  TEST_CASE("C9: elements of one map settle at the same time") {
    Settling a;
    AdminSession other(a.stores.url());
    a.begins();
    a.handler.run(a.call());
    other.run("begin");
    other.run(
        fmt::format("select weir.settle({}, {}, 0::smallint, 1, 1::smallint, '6', null, now(), "
                    "now() + interval '1 minute')",
                    a.worker.id, a.run));
    other.run("commit");
    a.handler.run("commit");
    CHECK(journal_of(*a.worker.session, a.run).size() == 2);
  }

  TEST_CASE("C9: what was settled before is refused") {
    Settling a;
    a.worker.journals(a.run, failed(0, 0, 1, "boom"));
    a.is_refused(a.call(), "was settled before");
  }

  TEST_CASE("C9: after its timeout an attempt is refused") {
    Settling a;
    a.is_refused(a.call(1, "5", "-1 ms"), "has timed out");
  }

  TEST_CASE("C9: a worker whose lease lapsed settles nothing") {
    Settling a;
    a.worker.lapses(*a.client);
    a.is_refused(a.call(), "has lost its lease");
  }

  TEST_CASE("F11: what is settled after an outage, before its worker is heard, is not refused") {
    Settling a;
    a.stores.sql("update weir.worker set lease_until = now() - interval '1 ms' returning id");
    a.stores.sql("update weir.uptime set swept_at = now() - interval '1 h' returning singleton");
    a.begins();
    a.handler.run(a.call());
    a.handler.run("commit");
    a.worker.exchange(a.worker.next());
    CHECK(a.settled()->outcome == Outcome::completed);
  }

  TEST_CASE("F11: a worker whose lease lapsed again after an outage settles nothing") {
    Settling a;
    a.stores.sql(
        "update weir.worker set lease_until = now() - interval '1 ms', spared = true returning id");
    a.stores.sql("update weir.uptime set swept_at = now() - interval '1 h' returning singleton");
    a.is_refused(a.call(), "has lost its lease");
  }

  TEST_CASE("C9: a run that belongs to nobody is not settled") {
    Settling a;
    ExchangeRequest request = a.worker.next();
    request.released = {{a.run, {}}};
    a.worker.exchange(request);
    a.is_refused(a.call(), "has lost its lease");
  }

  TEST_CASE("C9: a run that is over is not settled") {
    Settling a;
    a.worker.ends(a.run, {.status = RunStatus::failed, .error = "boom", .failed_step = 1});
    a.is_refused(a.call(), "has lost its lease");
  }

  TEST_CASE("P6: what a map cannot run over is not settled") {
    Settling a(flow({step("a"), of_kind("map", "b", {"a"})}));
    a.is_refused(a.call(1, "{}"),
                 "step \"b\" maps over the output of \"a\", which is an object, not an array");
    a.begins();
    a.handler.run(a.call(1, "[]"));
    a.handler.run("commit");
    CHECK(a.settled().has_value());
  }

  TEST_CASE("C9: a sweep does not take away what an open transaction has settled") {
    Settling a;
    a.begins();
    a.handler.run(a.call());
    a.worker.lapses(*a.client);
    TestWorker other(a.stores);
    other.loads(flow({step("a"), step("b")}));
    must(other.session->sweep());  // and does not wait for it either
    CHECK(other.claim(1).empty());
    a.handler.run("commit");
    std::vector<ClaimedRun> claimed;
    REQUIRE(eventually([&] {
      must(other.session->sweep());
      claimed = other.claim(1);
      return !claimed.empty();
    }));
    const auto rows = journal_of(*other.session, a.run);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].outcome == Outcome::completed);
    CHECK(a.handler.run("select n from mine") == Rows{"1"});
  }

  TEST_CASE("C9: a sweep that was first leaves nothing to settle") {
    Settling a;
    a.worker.lapses(*a.client);
    TestWorker other(a.stores);
    CHECK(must(other.session->sweep()) == 1);
    a.is_refused(a.call(), "has lost its lease");
    CHECK(journal_of(*other.session, a.run).at(0).outcome == Outcome::lost);
  }

  TEST_CASE("C9: a worker that leaves takes nothing from an open transaction") {
    Settling a;
    a.begins();
    a.handler.run(a.call());
    {
      const std::jthread leaving([&] { must(a.worker.session->leave(a.worker.id)); });
      TestWorker other(a.stores);
      other.loads(flow({step("a"), step("b")}));
      CHECK(other.claim(1).empty());
      a.handler.run("commit");
    }
    TestWorker other(a.stores);
    other.loads(flow({step("a"), step("b")}));
    std::vector<ClaimedRun> claimed;
    REQUIRE(eventually([&] {
      must(other.session->sweep());
      claimed = other.claim(1);
      return !claimed.empty();
    }));
    CHECK(journal_of(*other.session, a.run).size() == 1);
  }

  TEST_CASE("C9: a handler whose connection breaks has settled nothing") {
    Settling a;
    {
      AdminSession broken(a.stores.url());
      broken.run("begin");
      broken.run("insert into mine values (7)");
      broken.run(a.call());
    }
    CHECK(eventually([&] {
      return a.stores.sql("select 1 from pg_stat_activity where state like 'idle in transaction%'")
          .empty();
    }));
    CHECK_FALSE(a.settled().has_value());
    a.begins();
    a.handler.run(a.call());
    a.handler.run("commit");
    CHECK(a.handler.run("select n from mine") == Rows{"1"});
  }
}
