#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

// A worker's day: claims, settles, ends and gives back. How many attempts it settled.
std::size_t work(TestWorker& worker) {
  std::size_t settled = 0;
  std::vector<ClaimedRun> claimed = worker.claim(20);
  for (int round = 0; round < 10; ++round) {
    ExchangeRequest request = worker.next(20);
    for (const ClaimedRun& run : claimed) {
      if (run.has_history || run.run % 4 == 0) {
        request.released.push_back({run.run, {}});
        continue;
      }
      request.settled.push_back({run.run, completed(0, 0, 1, "1"), {}});
      request.ended.push_back({run.run, {.output = json("1")}});
      ++settled;
    }
    claimed = worker.exchange(request).claimed;
  }
  return settled;
}

}  // namespace

TEST_SUITE("postgres: plans") {
  TEST_CASE("an exchange finds its rows by key however many runs are open or asleep") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    worker.loads(one_step());
    const auto client = stores.client_session();
    must(client->start("totals", std::vector<Json>(5'000), {}));
    must(client->start("totals", std::vector<Json>(1'000), {.delay = std::chrono::hours(1)}));
    AdminSession user(stores.url());
    user.run("analyze");
    user.run("select pg_stat_reset()");
    const std::size_t settled = work(worker);
    REQUIRE(settled > 20);

    // The server counts what a session read when it ends at the latest: once all rows of the
    // journal are counted, so is the rest.
    worker.session.reset();
    REQUIRE(eventually([&] {
      return user.run("select n_tup_ins from pg_stat_user_tables where relname = 'journal_0'") ==
             Rows{std::to_string(settled)};
    }));
    CHECK(user.run("select relname from pg_stat_user_tables where seq_scan > 0 and relname in "
                   "('open_run', 'run', 'journal_0')") == Rows{});
    CHECK(user.run("select idx_tup_read < 100 from pg_stat_user_indexes where indexrelname = "
                   "'open_run_asleep'") == Rows{"t"});
  }

  TEST_CASE("the newest runs are found along an index however many there are") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    const VersionId version = worker.loads(one_step());
    const VersionId other = worker.loads(named("other", one_step()));
    auto client = stores.client_session();
    {
      AdminSession user(stores.url());
      user.run(
          fmt::format("insert into weir.run (uuid, version_id, status, priority, input, tags, "
                      "available_at, ended_at) select weir.uuid7(), {}, 1 + n % 2, 0, "
                      "to_jsonb(n), array['t' || n % 10], now(), now() from generate_series(1, "
                      "20000) as n",
                      version));
      user.run(
          fmt::format("insert into weir.run (uuid, version_id, status, priority, input, "
                      "available_at, ended_at) select weir.uuid7(), {}, 1, 0, 'null', now(), "
                      "now() from generate_series(1, 100)",
                      other));
      user.run("analyze");
      user.run("select pg_stat_reset()");
    }
    const std::vector<RunFilter> filters = {{},
                                            {.flow = "totals"},
                                            {.flow = "other", .status = "completed"},
                                            {.status = "failed"},
                                            {.status = "queued"},
                                            {.tag = "t7"}};
    for (const RunFilter& filter : filters) {
      const auto found = must(client->runs(filter));
      CHECK(found.size() == (filter.status == "queued" ? 0 : 20));
    }
    client.reset();  // the server counts what a session read when it ends at the latest
    AdminSession user(stores.url());
    REQUIRE(eventually([&] {
      return user.run(
                 "select idx_scan > 0 from pg_stat_user_indexes where indexrelname = "
                 "'run_pkey'") == Rows{"t"};
    }));
    CHECK(user.run("select relname from pg_stat_user_tables where seq_scan > 0 and relname in "
                   "('run', 'journal')") == Rows{});
    const std::string plan = [&] {
      std::string text;
      for (const std::string& line :
           user.run("explain select * from weir.runs order by number desc limit 20"))
        text += line + '\n';
      return text;
    }();
    CAPTURE(plan);
    CHECK_FALSE(plan.contains("Seq Scan on run "));
    CHECK_FALSE(plan.contains("Sort"));
    CHECK(plan.contains("Index Scan Backward using run_pkey"));
  }

  TEST_CASE("outcomes that views have by name are planned as numbers") {
    const PostgresUnderTest stores;
    AdminSession user(stores.url());
    for (const auto& [view, filter] : {std::pair("weir.attempts", "outcome <> '7'::smallint"),
                                       std::pair("weir.signals", "outcome = '1'::smallint")}) {
      std::string plan;
      for (const std::string& line :
           user.run(std::string("explain (verbose) select * from ") + view))
        plan += line + '\n';
      CAPTURE(plan);
      CHECK(plan.contains(filter));
      CHECK_FALSE(plan.contains("weir.outcome"));
    }
  }

  TEST_CASE("no function that somebody calls has its plans compiled") {
    const PostgresUnderTest stores;
    std::string owners;  // weir.rights() has the others
    for (const auto& entry : std::filesystem::directory_iterator(
             std::filesystem::path(WEIR_SOURCE_DIR) / "schemas/functions/owner"))
      owners += "'" + entry.path().stem().string() + "',";
    // An immutable function reads no table; a procedure that commits can have no setting.
    const std::string called = fmt::format(
        "from pg_proc p where p.pronamespace = 'weir'::regnamespace and p.prokind = 'f' "
        "and p.provolatile <> 'i' and (p.proname in ({} '') or p.proname in "
        "(select r.function from weir.rights() r))",
        owners);
    CHECK(std::stoul(stores.sql("select count(*) " + called).front()) > 50);
    const std::string compiled =
        stores
            .sql("select coalesce(string_agg(p.proname, ', ' order by p.proname), '') " + called +
                 " and not coalesce('jit=off' = any (p.proconfig), false)")
            .front();
    CHECK(compiled == "");
  }

  // A SQL function with parameters cannot be planned over distributed tables (Citus), nor can a table
  // with row triggers be distributed.
  TEST_CASE("what changes runs is PL/pgSQL, and no row trigger stands on open runs") {
    const PostgresUnderTest stores;
    CHECK(stores.sql("select coalesce(string_agg(p.proname, ', ' order by p.proname), '') "
                     "from pg_proc p join pg_language l on l.oid = p.prolang "
                     "where p.pronamespace = 'weir'::regnamespace and l.lanname = 'sql' "
                     "and p.pronargs > 0 and p.prosrc ~ "
                     "'weir[.](run|open_run|journal|sent_signal|idempotency)\\M'") ==
          Rows{"journal_of, steps_of"});  // of readers
    CHECK(stores.sql("select t.tgrelid::regclass::text || ' ' || t.tgname from pg_trigger t where "
                     "t.tgrelid in ('weir.open_run'::regclass, 'weir.run'::regclass, "
                     "'weir.journal'::regclass)") == Rows{});
  }

  TEST_CASE("V4: what is said of versions does not look at runs that are over") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    const VersionId version = worker.loads(one_step());
    must(worker.session->flows().serve_versions(worker.id, {{version, {}}}));
    const auto client = stores.client_session();
    const char* const wanted = std::getenv("WEIR_FINISHED_RUNS");  // 1000000 once
    AdminSession user(stores.url());
    user.run(
        fmt::format("insert into weir.run (uuid, version_id, status, priority, input, "
                    "available_at, ended_at) select weir.uuid7(), {}, 1, 0, 'null', now(), "
                    "now() from generate_series(1, {})",
                    version, wanted == nullptr ? "1000" : wanted));
    must(client->start("totals", std::vector<Json>(50'000), {}));
    user.run("analyze");
    const auto asked = std::chrono::steady_clock::now();
    const auto versions = must(client->versions("totals"));
    const auto took = std::chrono::steady_clock::now() - asked;
    MESSAGE("asked for " << std::chrono::duration_cast<std::chrono::microseconds>(took).count()
                         << " us");
    REQUIRE(versions.size() == 1);
    CHECK(versions[0].open_runs == 50'000);
    CHECK(took < std::chrono::seconds(5));  // 20 ms or so
    const std::string plan = [&] {
      std::string text;
      for (const std::string& line :
           user.run("explain select * from weir.versions where flow = 'totals'"))
        text += line + '\n';
      return text;
    }();
    CHECK_FALSE(plan.contains(" on run "));
    CHECK_FALSE(plan.contains(" on journal "));
  }

  TEST_CASE("S5: the time of a start is in proportion to the number of runs") {
    PostgresUnderTest stores;
    TestWorker(stores).loads(one_step());
    const auto client = stores.client_session();
    std::vector<std::string> keys;
    for (int i = 0; i < 20'000; ++i) keys.push_back(std::to_string(i));
    const auto before = std::chrono::steady_clock::now();
    must(client->start("totals", std::vector<Json>(keys.size()), {}));
    must(client->start("totals", std::vector<Json>(keys.size()), {.idempotency_keys = keys}));
    CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(20));  // 1 s or so
  }
}
