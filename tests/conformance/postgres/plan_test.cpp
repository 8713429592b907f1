#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

TEST_SUITE("postgres: plans") {
  // Sequential scans are counted by the server when a session ends or has been idle for a while, so
  // the worker's own session is asked to report before the counts are read.
  TEST_CASE("an exchange finds its rows by key however many runs are open") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    worker.loads(one_step());
    AdminSession user(stores.url());
    user.run(
        "select count(*) from weir.start_many('totals', array(select to_jsonb(i) from "
        "generate_series(1, 5000) as i))");
    user.run(
        "select count(*) from weir.start_many('totals', array(select to_jsonb(i) from "
        "generate_series(1, 1000) as i), delay => '1 hour')");
    user.run("analyze");
    user.run("select pg_stat_reset()");
    auto claimed = worker.claim(20);
    for (int round = 0; round < 10; ++round) {
      ExchangeRequest request = worker.next(20);
      for (const ClaimedRun& run : claimed) {
        request.settled.push_back({run.run, completed(0, 0, 1, "1"), {}});
        if (run.run % 4 == 0)
          request.released.push_back({run.run, {}});
        else
          request.ended.push_back({run.run, {.output = json("1")}});
      }
      claimed = worker.exchange(request).claimed;
      std::erase_if(claimed, [](const ClaimedRun& run) { return run.has_history; });
    }
    worker.session.reset();
    REQUIRE(eventually([&] {
      return user.run(
                 "select sum(idx_scan) > 100 from pg_stat_user_tables where schemaname = 'weir'") ==
             Rows{"t"};
    }));
    CHECK(user.run(
              "select relname from pg_stat_user_tables where schemaname = 'weir' and seq_scan > 0"
              " and relname in ('open_run', 'run', 'journal', 'idempotency')") == Rows{});
  }
}
