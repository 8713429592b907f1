// Large writes and what PostgreSQL makes of them: locks, values that it cannot store, time.
#include <chrono>
#include <thread>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"
#include "support/log_lines.hpp"
#include "support/output_gate.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
using Rows = std::vector<std::string>;

namespace {

struct Large {
  Large() {
    worker.loads(one_step());
    must(client->start("totals", {Json(), Json()}, {}));
    runs = worker.claim(2);
    REQUIRE(runs.size() == 2);
  }
  LargeWrite result(std::size_t of, const std::string& output) {
    const Time now = worker.exchange(worker.next()).now;
    return SettledAttempt{.run = runs[of].run,
                          .row = {.task = {.step = 0, .index = 0},
                                  .output = Json::trusted(output),
                                  .started_at = now,
                                  .ended_at = now},
                          .plugin = std::nullopt};
  }
  LargeWrite end(std::size_t of, const std::string& output) const {
    return EndedRun{.run = runs[of].run, .end = {.output = Json::trusted(output)}};
  }
  std::vector<LargeWritten> written(std::size_t count) {
    std::vector<LargeWritten> all;
    CHECK(eventually([&] {
      for (LargeWritten& each : worker.session->take_written()) all.push_back(std::move(each));
      return all.size() >= count;
    }));
    return all;
  }

  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  AdminSession user{stores.url()};
  OutputGate gate{stores.url(), 1'000};
  std::vector<ClaimedRun> runs;
};

std::string large() { return '"' + std::string(2'000, 'x') + '"'; }

}  // namespace

TEST_SUITE("postgres: large values") {
  TEST_CASE("L10: exchanges continue while something large is written") {
    Large a;
    a.gate.close();
    for (const bool ends : {false, true}) {
      a.worker.session->write_large(
          a.worker.id, ends ? a.end(0, "{\"a\": " + large() + "}") : a.result(0, large()));
      REQUIRE(a.gate.is_waited_at());
      must(a.client->start("totals", {Json()}, {}));
      const ClaimedRun quick = a.worker.claim_one();
      a.worker.ends(quick.run, {.output = Json()});
      CHECK(must(a.client->summary(quick.id)).status == "completed");
      CHECK(a.worker.session->take_written().empty());
      a.gate.open();
      CHECK(a.written(1).at(0).result.has_value());
      a.gate.close();
    }
    CHECK(must(a.client->summary(a.runs[0].id)).status == "completed");
  }

  TEST_CASE("L2: nobody takes a run of which something large is written") {
    Large a;
    a.gate.close();
    a.worker.session->write_large(a.worker.id, a.result(0, large()));
    REQUIRE(a.gate.is_waited_at());
    a.stores.sql("update weir.worker set lease_until = clock_timestamp() - interval '1 s'");
    TestWorker other(a.stores);
    other.loads(one_step());
    must(other.session->sweep());
    CHECK(other.claim(5).size() == 1);  // the other run
    a.gate.open();
    CHECK(a.written(1).at(0).result.has_value());
    must(other.session->sweep());
    const std::vector<ClaimedRun> rest = other.claim(5);
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].run == a.runs[0].run);
    const std::vector<RunKey> keys{rest[0].run};
    CHECK(must(other.session->journal(keys))[keys[0]].size() == 1);
  }

  TEST_CASE("L8: a run that somebody has locked is written later, and others before it") {
    Large a;
    a.user.run("begin");
    a.user.run(fmt::format("select 1::text from weir.open_run where run_id = {} for update",
                           a.runs[0].run));
    a.worker.session->write_large(a.worker.id, a.result(0, "1"));
    a.worker.session->write_large(a.worker.id, a.result(1, "2"));
    const auto first = a.written(1);
    REQUIRE(first.size() == 1);
    CHECK(std::get<SettledAttempt>(first[0].write).run == a.runs[1].run);
    a.user.run("commit");
    const auto second = a.written(1);
    REQUIRE(second.size() == 1);
    CHECK(second[0].result.has_value());
    CHECK(std::get<SettledAttempt>(second[0].write).run == a.runs[0].run);
  }

  TEST_CASE("F9: a large value that cannot be stored is refused with what PostgreSQL says") {
    Large a;
    const std::string odd = "[0e2000000000]";
    a.worker.session->write_large(a.worker.id, a.result(0, odd));
    a.worker.session->write_large(a.worker.id, a.end(1, odd));
    for (const LargeWritten& each : a.written(2)) {
      REQUIRE_FALSE(each.result);
      CHECK(each.result.error().kind == "refused_value");
      CHECK(each.result.error().message == "value overflows numeric format");
    }
    CHECK(a.stores.sql("select count(*)::text from weir.journal") == Rows{"0"});
    CHECK(a.stores.sql("select count(*)::text from weir.open_run") == Rows{"2"});
  }

  TEST_CASE("L6: a large write is made again when its connection breaks") {
    Large a;
    a.gate.close();
    a.worker.session->write_large(a.worker.id, a.result(0, large()));
    REQUIRE(a.gate.is_waited_at());
    a.gate.end_waiting();
    a.gate.open();
    CHECK(a.written(1).at(0).result.has_value());
    CHECK(a.stores.sql("select count(*)::text from weir.journal") == Rows{"1"});
  }

  TEST_CASE("F6: what is not being written yet can be withdrawn") {
    Large a;
    const LargeWrite first = a.result(0, large()), second = a.result(1, large());
    a.gate.close();
    a.worker.session->write_large(a.worker.id, first);
    REQUIRE(a.gate.is_waited_at());
    a.worker.session->write_large(a.worker.id, second);
    const auto withdraw = [&](std::size_t of, int attempt) {
      return a.worker.session->withdraw_large(a.runs[of].run, {.step = 0, .index = 0}, attempt, 0);
    };
    CHECK_FALSE(withdraw(0, 1));
    CHECK_FALSE(withdraw(1, 2));
    CHECK(withdraw(1, 1));
    CHECK_FALSE(withdraw(1, 1));
    a.gate.open();
    CHECK(a.written(1).size() == 1);
    CHECK(a.stores.sql("select run_id::text from weir.journal") ==
          Rows{std::to_string(a.runs[0].run)});
  }

  TEST_CASE("F6: what is withdrawn is of the run or of that share") {
    Large a;
    a.gate.close();
    a.worker.session->write_large(a.worker.id, a.result(0, large()));
    REQUIRE(a.gate.is_waited_at());
    auto shared = std::get<SettledAttempt>(a.result(1, large()));
    shared.share = 5;
    a.worker.session->write_large(a.worker.id, shared);
    const auto withdraw = [&](ShareId share) {
      return a.worker.session->withdraw_large(a.runs[1].run, {.step = 0, .index = 0}, 1, share);
    };
    CHECK_FALSE(withdraw(0));
    CHECK_FALSE(withdraw(4));
    CHECK(withdraw(5));
    a.gate.open();
    CHECK(a.written(1).size() == 1);
  }

  TEST_CASE("F6: what may have been written cannot be withdrawn") {
    Large a;
    a.gate.close();
    a.worker.session->write_large(a.worker.id, a.result(0, large()));
    REQUIRE(a.gate.is_waited_at());
    a.gate.end_waiting();
    CHECK(a.gate.is_waited_at());  // again
    CHECK_FALSE(a.worker.session->withdraw_large(a.runs[0].run, {.step = 0, .index = 0}, 1, 0));
    a.gate.open();
    CHECK(a.written(1).size() == 1);
  }

  TEST_CASE("F6: what may have been written cannot be withdrawn while its run is locked") {
    Large a;
    a.gate.close();
    a.worker.session->write_large(a.worker.id, a.result(0, large()));
    REQUIRE(a.gate.is_waited_at());
    std::jthread locker([&] {
      a.user.run("begin");
      a.user.run(fmt::format("select 1::text from weir.open_run where run_id = {} for update",
                             a.runs[0].run));
    });
    const auto is = [&](const char* count, const char* from) {
      return eventually([&] {
        return a.stores.sql(fmt::format("select count(*)::text {}", from)) == Rows{count};
      });
    };
    REQUIRE(is("2", "from pg_locks where not granted"));
    a.gate.end_waiting();
    locker.join();
    REQUIRE(is(
        "1", "from pg_stat_activity where state = 'idle' and query like '%record_large_result%'"));
    CHECK_FALSE(a.worker.session->withdraw_large(a.runs[0].run, {.step = 0, .index = 0}, 1, 0));
    a.gate.open();
    a.user.run("commit");
    CHECK(a.written(1).size() == 1);
  }

  // One of a share may be of the same name as one that its caller has given up before.
  TEST_CASE("F6: one write is withdrawn at a time") {
    Large a;
    a.gate.close();
    a.worker.session->write_large(a.worker.id, a.result(0, large()));
    REQUIRE(a.gate.is_waited_at());
    for (int write = 0; write < 2; ++write)
      a.worker.session->write_large(a.worker.id, a.result(1, large()));
    for (const bool left : {true, true, false})
      CHECK(a.worker.session->withdraw_large(a.runs[1].run, {.step = 0, .index = 0}, 1, 0) == left);
    a.gate.open();
    CHECK(a.written(1).size() == 1);
  }

  TEST_CASE("L8: the large output of a child run locks nothing of its parent while it is written") {
    Large a;
    FlowDraft::Step sub = of_kind("flow", "sub");
    sub.flow = "totals";
    a.worker.loads(named("parent", flow({sub})));
    must(a.client->start("parent", {Json()}, {}));
    const ClaimedRun parent = a.worker.claim_one();
    must(a.worker.starts_child(parent.run, 0, 1, "totals", Json()));
    a.runs[0] = a.worker.claim_one();
    a.gate.close();
    a.worker.session->write_large(a.worker.id, a.end(0, "{\"a\": " + large() + "}"));
    REQUIRE(a.gate.is_waited_at());
    CHECK(a.stores.sql(fmt::format(
              "select run_id::text from weir.open_run where run_id = {} for update nowait",
              parent.run)) == Rows{std::to_string(parent.run)});
    a.gate.open();
    CHECK(a.written(1).at(0).result.has_value());
    CHECK(must(a.client->report(a.runs[0].id, true)).output->text().size() > 2'000);
  }

  TEST_CASE("that nothing large can be written is told once until something is") {
    Large a;
    const LogLines lines;
    const auto session = must(postgres::open_worker_store(a.stores.url(), {.log = lines.log()}));
    a.stores.sql(
        "create function public.full() returns trigger language plpgsql as $$ begin raise "
        "exception 'the disk is full' using errcode = '53100'; end $$; create trigger stop before "
        "insert on weir.journal for each row execute function public.full()");
    session->write_large(a.worker.id, a.result(0, "1"));
    session->write_large(a.worker.id, a.result(1, "2"));
    CHECK(eventually([&] { return !lines.text().empty(); }));
    // To drop the trigger would lock the table's partitions in turn, beside what is being written.
    a.stores.sql(
        "create or replace function public.full() returns trigger language plpgsql as $$ begin "
        "return new; end $$");
    CHECK(eventually(
        [&] { return a.stores.sql("select count(*)::text from weir.journal") == Rows{"2"}; }));
    CHECK(lines.text().starts_with("cannot write a large value, retrying: the disk is full"));
    CHECK(lines.text().find('\n') == lines.text().size() - 1);
  }

  TEST_CASE("what is still to be written does not hold up the end of a session") {
    Large a;
    const LargeWrite result = a.result(0, "1");
    a.user.run("begin");
    a.user.run(fmt::format("select 1::text from weir.open_run where run_id = {} for update",
                           a.runs[0].run));
    a.worker.session->write_large(a.worker.id, result);
    a.worker.session.reset();
    a.user.run("commit");
    CHECK(a.stores.sql("select count(*)::text from weir.journal") == Rows{"0"});
  }

  TEST_CASE("what no attempt can be is refused") {
    Large a;
    const auto code = [&](const std::string& arguments) {
      return a.stores.sql(fmt::format(
          "do $$ begin perform weir.record_large_result({}, {}, {}); exception when others then "
          "raise notice '%', sqlstate; perform set_config('t.code', sqlstate, false); end $$; "
          "select current_setting('t.code')",
          a.worker.id, a.runs[0].run, arguments));
    };
    CHECK(code("0::smallint, 0, 0::smallint, '1', now(), now(), null, 0") == Rows{"WR003"});
    CHECK(code("null, 0, 1::smallint, '1', now(), now(), null, 0") == Rows{"WR003"});
    CHECK(code("0::smallint, 0, 1::smallint, '1', now(), 'infinity', null, 0") == Rows{"WR003"});
  }
}
