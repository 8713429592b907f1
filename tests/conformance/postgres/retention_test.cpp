#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/postgres_maintenance_store.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
using Rows = std::vector<std::string>;

namespace {

struct Old {
  Old() {
    worker.loads(one_step());
    worker.loads(named("other", one_step()));
  }
  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  std::unique_ptr<MaintenanceStore> store =
      must(postgres::open_maintenance_store(stores.url(), false));

  // Runs that ended two hours ago, with a row of the journal each.
  void ended(const std::string& flow, std::size_t count, const StartOptions& options = {}) {
    must(client->start(flow, std::vector<Json>(count), options));
    for (const ClaimedRun& run : worker.claim(count)) {
      worker.journals(run.run, completed(0, 0, 1, "1"));
      worker.ends(run.run, {.output = json("1")});
    }
    stores.sql(
        "update weir.run set created_at = created_at - interval '2 hours', ended_at = "
        "ended_at - interval '2 hours' where status <> 0 and ended_at > now() - interval '1 "
        "hour'");
  }

  PruneReport prune(const Retention& retention, std::int64_t batch = 1'000, bool dry = false) {
    PruneReport total;
    for (bool finished = false; !finished;) {
      const PruneReport done = must(store->prune(retention, total.cursor, batch, dry));
      CHECK(done.runs <= batch);
      total.runs += done.runs;
      total.journal_rows += done.journal_rows;
      total.partitions += done.partitions;
      total.workers += done.workers;
      total.cursor = done.cursor;
      finished = done.finished;
    }
    return total;
  }

  std::string count(const std::string& table) {
    return stores.sql("select count(*) from weir." + table).at(0);
  }
};

}  // namespace

TEST_SUITE("postgres: retention") {
  TEST_CASE("C7: runs that ended long ago go with all that is kept of them") {
    Old a;
    a.ended("totals", 5, {.idempotency_keys = {"1", "2", "3", "4", "5"}});
    start_one(*a.client);
    CHECK(a.prune({.age = 3h}).runs == 0);
    CHECK(a.prune({}).runs == 0);
    const PruneReport dry = a.prune({.age = 1h}, 2, true);
    CHECK(dry.runs == 5);
    CHECK(dry.journal_rows == 5);
    CHECK(a.count("run") == "6");
    const PruneReport done = a.prune({.age = 1h}, 2);
    CHECK(done.runs == 5);
    CHECK(done.journal_rows == 5);
    CHECK(a.count("run") == "1");
    CHECK(a.count("journal") == "0");
    CHECK(a.count("idempotency") == "0");
  }

  TEST_CASE("C7: an open run never goes however old") {
    Old a;
    a.ended("totals", 1);
    start_one(*a.client);
    a.stores.sql("update weir.run set created_at = created_at - interval '9 years'");
    CHECK(a.prune({.age = 1h}).runs == 1);
    CHECK(a.worker.claim(1).size() == 1);
  }

  TEST_CASE("C7: each flow keeps its runs as long as it says") {
    Old a;
    a.ended("totals", 3);
    a.ended("other", 4);
    CHECK(a.prune({.age = 1h, .flows = {{"totals", std::nullopt}, {"other", 3h}}}).runs == 0);
    CHECK(a.prune({.age = {}, .flows = {{"other", 1h}, {"unknown", 1h}}}).runs == 4);
    CHECK(a.prune({.age = 3h, .flows = {{"totals", 1h}}}).runs == 3);
  }

  TEST_CASE("C7: children go with their parent and no parent goes before its children are over") {
    Old a;
    a.ended("totals", 3);
    const auto link = [&](int child, int parent) {
      a.stores.sql(
          fmt::format("update weir.run set parent_run = {}, parent_step = 0, "
                      "parent_attempt = 1 where id = {}",
                      parent, child));
    };
    link(2, 1);
    start_one(*a.client);
    link(4, 3);
    CHECK(a.prune({.age = {}, .flows = {{"other", 1h}}}).runs == 0);
    CHECK(a.prune({.age = 1h}).runs == 2);
    CHECK(a.stores.sql("select id from weir.run order by id") == Rows{"3", "4"});
  }

  TEST_CASE("C7: runs that are kept for their age are not read") {
    Old a;
    a.ended("totals", 30);
    for (const auto& [version, age] :
         {std::pair(a.worker.versions[1], "90 min"), {a.worker.versions[0], "30 min"}})
      a.stores.sql(fmt::format(
          "insert into weir.run (uuid, version_id, status, priority, input, created_at, "
          "available_at, ended_at) select weir.uuid7(), {}, 1, 0, 'null', now() - "
          "interval '{}', now(), now() - interval '{}' from generate_series(1, 5000)",
          version, age, age));
    AdminSession user(a.stores.url());
    user.run("analyze");
    a.store = must(postgres::open_maintenance_store(a.stores.url(), false));
    user.run("select pg_stat_reset()");
    CHECK(a.prune({.age = {}, .flows = {{"totals", 1h}, {"other", 100h}}}).runs == 30);
    a.store.reset();
    REQUIRE(eventually([&] {
      return user.run("select n_tup_del from pg_stat_user_tables where relname = 'run'") ==
             Rows{"30"};
    }));
    const std::string read = user.run(
                                     "select seq_tup_read + idx_tup_fetch from pg_stat_user_tables "
                                     "where relname = 'run'")
                                 .front();
    CHECK_MESSAGE(std::stoi(read) < 1'500, read);
  }

  TEST_CASE("L8: a run that somebody's transaction has locked stays with its family for now") {
    Old a;
    a.ended("totals", 3);
    AdminSession user(a.stores.url());
    user.run("begin");
    user.run("select 1 from weir.run where id = 2 for update");
    CHECK(a.prune({.age = 1h}).runs == 2);
    user.run("rollback");
    CHECK(a.prune({.age = 1h}).runs == 1);
  }

  TEST_CASE("C7: a whole range of old runs leaves its journal to its partition's end") {
    Old a;
    a.ended("totals", 20);
    const auto skip_to = [&](std::int64_t run) {
      a.stores.sql(fmt::format("select setval('weir.run_id_seq', {})", run));
    };
    skip_to(10'000'000);
    a.ended("totals", 5);
    must(a.client->start("totals", std::vector<Json>(1), {}));  // in the same range, open
    skip_to(20'000'000);
    must(a.store->maintain({}));
    must(a.client->start("totals", std::vector<Json>(1), {}));
    const PruneReport done = a.prune({.age = 1h}, 7);
    CHECK(done.runs == 25);
    CHECK(done.journal_rows == 5);  // those of the range in which one stays
    CHECK(done.partitions == 1);
    CHECK(a.count("journal") == "0");
    CHECK(a.stores.sql("select to_regclass('weir.journal_0') is null and "
                       "to_regclass('weir.journal_1') is not null") == Rows{"t"});
  }

  TEST_CASE("C7: partitions are made ahead and the net is empty") {
    Old a;
    a.stores.sql("select setval('weir.run_id_seq', 50000000)");
    a.ended("totals", 2);
    const char* const where =
        "select string_agg(distinct c.relname, ' ') from weir.journal j join pg_class c on c.oid = "
        "j.tableoid";
    CHECK(a.stores.sql(where).at(0) == "journal_rest");
    CHECK_FALSE(must(a.store->maintain(1h)));  // it locks the journal: nothing else in that call
    CHECK(must(a.store->maintain(1h)));
    CHECK(a.stores.sql(where).at(0) == "journal_5");
    CHECK(a.stores.sql("select to_regclass('weir.journal_6') is not null") == Rows{"t"});
    CHECK(journal_of(*a.worker.session, 50'000'001).size() == 1);
  }

  TEST_CASE("C7: rows that are written while their partition is made are in it") {
    Old a;
    a.stores.sql("select setval('weir.run_id_seq', 50000000)");
    a.ended("totals", 1);
    const auto add = [&](int attempt) {
      return fmt::format(
          "insert into weir.journal select run_id, step, task_index, {}, outcome, output, "
          "error_code, error, retry_after_ms, started_at, ended_at, worker_id, plugin_id from "
          "weir.journal where attempt = 1",
          attempt);
    };
    AdminSession writer(a.stores.url());
    writer.run("begin");
    writer.run(add(2));
    const auto on_a_thread = [&](std::string& outcome, std::string statement) {
      return std::thread([&a, &outcome, statement = std::move(statement)] {
        try {
          const Rows rows = a.stores.sql(statement);
          outcome = rows.empty() ? "done" : rows[0];
        } catch (const std::runtime_error& refused) {
          outcome = refused.what();
        }
      });
    };
    const auto wait = [&](int how_many) {
      return eventually([&] { return a.stores.waiting_for_locks() == how_many; });
    };
    std::string made, added;
    std::thread making = on_a_thread(made, "select weir.add_journal_partitions()");
    const bool makes = wait(1);
    std::thread adding = on_a_thread(added, add(3));  // behind those that make the partition
    const bool adds = wait(2);
    writer.run("commit");
    making.join();
    adding.join();
    CHECK(makes);
    CHECK(adds);
    if (made.contains("lock timeout"))  // the machine stood still: as weir.maintain does, again
      made = a.stores.sql("select weir.add_journal_partitions()").at(0);
    CHECK(made == "2");
    CHECK(added == "done");
    CHECK(a.stores.sql("select count(*) from weir.journal_5") == Rows{"3"});
    CHECK(a.stores.sql("select count(*) from weir.journal_rest") == Rows{"0"});
  }

  TEST_CASE("C7: a partition that somebody reads keeps no other from being dropped") {
    const Old a;
    a.stores.sql("select setval('weir.run_id_seq', 35000000)");
    a.stores.sql("select weir.add_journal_partitions()");
    REQUIRE(a.stores.sql("select count(*) from pg_class where relname ~ '^journal_[0-4]$' and "
                         "relkind = 'r'") == Rows{"4"});  // 0, 1, 3 and 4
    AdminSession reader(a.stores.url());
    reader.run("begin");
    reader.run("select * from weir.journal_1");
    CHECK(a.stores.sql("select weir.drop_journal_partitions()") == Rows{"1"});
    reader.run("commit");
    CHECK(a.stores.sql("select weir.drop_journal_partitions()") == Rows{"1"});
  }

  TEST_CASE("S4: a key whose run is deleted during a start has its new run") {
    Old a;
    a.ended("totals", 1, {.idempotency_keys = {"k"}});
    // The start waits for this key, after it found that "k" has a run.
    AdminSession holder(a.stores.url());
    holder.run("begin");
    holder.run("select weir.start('totals', '1', idempotency_key => 'm')");
    Result<std::vector<StartedRun>> started;
    {
      const std::jthread starting([&] {
        started =
            a.client->start("totals", {json("1"), json("2")}, {.idempotency_keys = {"k", "m"}});
      });
      REQUIRE(eventually([&] { return a.stores.waiting_for_locks() == 1; }));
      CHECK(a.prune({.age = 1h}).runs == 1);
      holder.run("rollback");
    }
    REQUIRE(started.has_value());
    REQUIRE(started->size() == 2);
    for (const StartedRun& run : *started) {
      CHECK(run.created);
      CHECK(must(a.client->summary(run.id)).status == "queued");
    }
    CHECK(a.count("run") == "2");
  }

  TEST_CASE("C7: of all processes that would prune one has the turn") {
    Old a;
    CHECK_FALSE(must(a.store->maintain({})));
    CHECK(must(a.store->maintain(1h)));
    CHECK_FALSE(must(a.store->maintain(1h)));
  }

  TEST_CASE("C7: workers that ended before all that is left began go too") {
    Old a;
    {
      TestWorker gone(a.stores);
      must(gone.session->leave(gone.id));
    }
    a.stores.sql(
        "update weir.worker set ended_at = now() - interval '3 hours' where ended_at is "
        "not null");
    CHECK(a.prune({.age = 4h}).workers == 0);
    a.ended("totals", 1);
    a.stores.sql("update weir.run set created_at = now() - interval '4 hours'");
    CHECK(a.prune({.age = 150min}).workers == 0);  // that run may be of its time
    CHECK(a.prune({.age = 1h}).runs == 1);
    CHECK(a.count("worker") == "1");
  }

  TEST_CASE("C7: the procedure does it all from SQL") {
    Old a;
    a.ended("totals", 12);
    AdminSession(a.stores.url()).run("call weir.prune_all('1 hour', 'totals', 5)");
    CHECK(a.count("run") == "0");
    CHECK_THROWS(AdminSession(a.stores.url()).run("call weir.prune_all('1 hour', 'unknown')"));
  }

  TEST_CASE("C7: a run's journal is looked for in its partition alone") {
    const Old a;
    a.stores.sql(
        "do $$ begin for i in 2 .. 9 loop execute format('create table weir.journal_%s "
        "partition of weir.journal for values from (%s) to (%s)', i, i * 10000000, (i + 1) "
        "* 10000000); end loop; end $$");
    AdminSession user(a.stores.url());
    user.run("set plan_cache_mode = force_generic_plan");
    user.run("prepare one(bigint) as select * from weir.journal where run_id = $1");
    CHECK(user.run("explain execute one(35000000)").size() < 8);
    std::string plan;
    for (const std::string& line : user.run("explain execute one(35000000)")) plan += line;
    CHECK(plan.contains("journal_3"));
    CHECK_FALSE(plan.contains("journal_4"));
    CHECK_FALSE(plan.contains("Seq Scan"));
  }
}
