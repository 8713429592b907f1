#include <chrono>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

/// How many runs are drained; more for a look at the seconds.
std::size_t backlog() {
  const char* const wanted = std::getenv("WEIR_BACKLOG");
  return wanted == nullptr ? 3'000 : std::stoul(wanted);
}

/// What the planner knows of the tables when a session plans its statements, and when the backlog
/// comes. Behind an old snapshot no row that was deleted is dead to all: each is met again.
enum class Statistics {
  none,
  of_empty_tables,
  of_full_tables,
  analyzed_midway,
  of_an_old_snapshot
};

std::string name(Statistics statistics) {
  switch (statistics) {
    case Statistics::none:
      return "none";
    case Statistics::of_empty_tables:
      return "of empty tables";
    case Statistics::of_full_tables:
      return "of full tables";
    case Statistics::analyzed_midway:
      return "analyzed midway";
    case Statistics::of_an_old_snapshot:
      return "none, behind an old snapshot";
  }
  return "";
}

constexpr const char* analyze =
    "analyze weir.open_run, weir.run, weir.journal, weir.worker, "
    "weir.flow_limit, weir.key_rate, weir.sent_signal, weir.share";

void make(PostgresUnderTest& stores, Statistics statistics, RunStore& client) {
  AdminSession admin(stores.url());
  for (const char* table : {"open_run", "run", "journal_0", "worker", "flow_limit", "key_rate"})
    admin.run(fmt::format("alter table weir.{} set (autovacuum_enabled = off)", table));
  if (statistics == Statistics::of_empty_tables || statistics == Statistics::analyzed_midway)
    admin.run(analyze);
  if (statistics == Statistics::of_full_tables) {
    must(client.start("totals", std::vector<Json>(20'000), {.delay = std::chrono::hours(1)}));
    admin.run(analyze);
    admin.run("delete from weir.open_run");
    admin.run("delete from weir.run");
    admin.run("vacuum weir.open_run, weir.run");
  }
}

/// Claims, and ends what was claimed; every tenth run is released once.
/// Ends when nothing is left to be claimed. Returns how many runs ended.
std::size_t drain(TestWorker& worker, AdminSession* analyzing = nullptr) {
  std::size_t ended = 0;
  std::set<RunKey> released;
  std::vector<ClaimedRun> claimed = worker.claim(100);
  int rounds = 0;
  while (!claimed.empty()) {
    ExchangeRequest request = worker.next(100);
    for (const ClaimedRun& run : claimed) {
      if (run.run % 10 == 0 && released.insert(run.run).second) {
        request.released.push_back({run.run, {}});
        continue;
      }
      request.settled.push_back({run.run, completed(0, 0, 1, "1"), {}});
      request.ended.push_back({run.run, {.output = json("1")}});
      ++ended;
    }
    claimed = worker.exchange(request).claimed;
    if (++rounds == 10 && analyzing != nullptr) analyzing->run(analyze);
  }
  return ended;
}

/// How many rows of a table all sessions have read by its key or by scanning it. Entries of other
/// indexes are left out: rows that are dead, but not yet to every session of the server, are met
/// there again and again.
std::int64_t rows_read(AdminSession& admin, std::string_view table) {
  return std::stoll(
      admin
          .run(fmt::format("select (t.seq_tup_read + i.idx_tup_read)::text from "
                           "pg_stat_user_tables t join pg_stat_user_indexes i using (relid) where "
                           "t.relname = '{0}' and i.indexrelname = '{0}_pkey'",
                           table))
          .at(0));
}

void check_drain(Statistics statistics, const char* limits) {
  CAPTURE(name(statistics));
  PostgresUnderTest stores;
  TestWorker worker(stores);
  worker.loads(one_step());
  const auto client = stores.client_session();
  AdminSession admin(stores.url());
  make(stores, statistics, *client);
  if (limits != nullptr) admin.run(limits);

  // Plans are kept from the sixth call of a session on.
  for (int day = 0; day < 8; ++day) {
    must(client->start("totals", std::vector<Json>(12), {}));
    REQUIRE(drain(worker) == 12);
  }
  worker.session.reset();
  admin.run("select pg_stat_reset()");

  TestWorker other(stores);
  other.loads(one_step());
  for (int day = 0; day < 8; ++day) {
    must(client->start("totals", std::vector<Json>(12), {}));
    REQUIRE(drain(other) == 12);
  }
  must(client->start("totals", std::vector<Json>(backlog()), {}));
  AdminSession old(stores.url());
  if (statistics == Statistics::of_an_old_snapshot) {
    old.run("begin isolation level repeatable read");
    old.run("select count(*) from weir.run");
  }
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(drain(other, statistics == Statistics::analyzed_midway ? &admin : nullptr) == backlog());
  const auto took = std::chrono::steady_clock::now() - begin;
  other.session.reset();

  // The server counts what a session read when it ends at the latest.
  REQUIRE(eventually([&] {
    return admin.run(
               "select n_tup_ins >= 3000 from pg_stat_user_tables where relname = "
               "'journal_0'") == std::vector<std::string>{"t"};
  }));
  const auto runs = static_cast<std::int64_t>(backlog());
  for (const std::string_view table : {"open_run", "run", "journal_0", "flow_limit"}) {
    const std::int64_t rows = rows_read(admin, table);
    MESSAGE(name(statistics) << ": " << rows / runs << " rows of " << table << " a run, drained in "
                             << std::chrono::duration_cast<std::chrono::milliseconds>(took));
    CHECK(rows <= 12 * runs);
  }
}

/// How many rows of open_run one claim of 100 runs reads, in the order of the index, of `runs` runs
/// of so many flows.
std::int64_t read_by_claim(std::size_t flows, std::size_t runs) {
  PostgresUnderTest stores;
  TestWorker worker(stores);
  const auto client = stores.client_session();
  for (std::size_t i = 0; i < flows; ++i) {
    const std::string flow = fmt::format("flow{}", i);
    worker.loads(named(flow, one_step()));
    must(client->start(flow, std::vector<Json>(runs / flows), {}));
  }
  AdminSession admin(stores.url());
  admin.run("select pg_stat_reset()");
  REQUIRE(worker.claim(100).size() == 100);
  worker.session.reset();
  const char* const reads =
      "select idx_tup_read::text from pg_stat_user_indexes where indexrelname = "
      "'open_run_claimable'";
  REQUIRE(eventually([&] { return admin.run(reads) != std::vector<std::string>{"0"}; }));
  return std::stoll(admin.run(reads).at(0));
}

}  // namespace

TEST_SUITE("postgres: statistics") {
  TEST_CASE("a backlog is drained by key whatever the planner knows of the tables") {
    for (const Statistics statistics :
         {Statistics::none, Statistics::of_empty_tables, Statistics::of_full_tables,
          Statistics::analyzed_midway, Statistics::of_an_old_snapshot})
      check_drain(statistics, nullptr);
  }

  TEST_CASE("C6: a backlog under limits is drained by key whatever the planner knows") {
    for (const Statistics statistics : {Statistics::none, Statistics::of_empty_tables,
                                        Statistics::of_full_tables, Statistics::analyzed_midway})
      check_drain(statistics,
                  "select weir.set_limits('totals', max_running => 1000, rate => '1000000/1s')");
  }

  TEST_CASE("a claim reads hardly more of a hundred flows than of one") {
    CHECK(read_by_claim(1, 10'000) <= 101);
    CHECK(read_by_claim(100, 10'000) <= 2'000);  // flows times room: 10,000
  }

  TEST_CASE("weir.workers reads the runs that workers hold once however many workers ended") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    worker.loads(one_step());
    const auto client = stores.client_session();
    must(client->start("totals", std::vector<Json>(2'000), {}));
    REQUIRE(worker.claim(500).size() == 500);
    AdminSession admin(stores.url());
    admin.run(
        "insert into weir.worker (host, pid, slots, lease_until, ended_at, end_reason) select 'h', "
        "n, 1, now(), now(), 'left' from generate_series(1, 500) as n");
    admin.run("analyze");
    admin.run("select pg_stat_reset()");
    {
      AdminSession reader(stores.url());
      CHECK(reader.run("select sum(runs)::text from weir.workers") ==
            std::vector<std::string>{"500"});
    }
    const char* const reads =
        "select (t.seq_tup_read + sum(i.idx_tup_read))::text from pg_stat_user_tables t join "
        "pg_stat_user_indexes i using (relid) where t.relname = 'open_run' group by "
        "t.seq_tup_read";
    REQUIRE(eventually([&] { return admin.run(reads) != std::vector<std::string>{"0"}; }));
    CHECK(std::stoll(admin.run(reads).at(0)) <= 2'500);  // workers times open runs: 1,000,000
  }
}
