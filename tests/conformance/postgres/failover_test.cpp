// What a worker may do behind a standby that has taken over: PostgreSQL shows it by the timeline.
#include <doctest/doctest.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// A worker with a run, of which it has stated an attempt, on a server that becomes another.
struct JoinedBefore {
  JoinedBefore() {
    worker.loads(one_step());
    start_one(*stores.client_session());
    run = worker.claim_one().run;
    worker.in_flight = {{run, {0, 0}, 1}};
    worker.exchange(worker.next());
    stores.sql("update weir.worker set timeline = '0000FFFF' returning id");
  }
  void is_free_and_not_charged() {
    TestWorker next(stores);
    next.versions = worker.versions;
    CHECK(next.claim_one().run == run);
    CHECK(journal_of(*next.session, run).empty());
  }
  PostgresUnderTest stores;
  TestWorker worker{stores};
  RunKey run = 0;
};

}  // namespace

TEST_SUITE("postgres: failover") {
  TEST_CASE("L6: behind a standby a worker that joined before writes nothing and gives all back") {
    JoinedBefore a;
    const SettledAttempt settled{a.run, completed(0, 0, 1, "[]"), {}};
    ExchangeRequest request = a.worker.next();
    request.settled = {settled};
    CHECK(a.worker.session->exchange(request).error().code == ErrorCode::lease_lost);
    CHECK(a.worker.session->resolve(a.worker.id, settled).error().code == ErrorCode::lease_lost);
    CHECK(a.worker.session->close_waits(a.worker.id, {{a.run, 0}}).error().code ==
          ErrorCode::lease_lost);
    CHECK(a.worker.starts_child(a.run, 0, 1, "totals", json("1")).error().code ==
          ErrorCode::lease_lost);
    a.worker.session->write_large(a.worker.id, EndedRun{a.run, {.output = json("1")}});
    std::vector<LargeWritten> written;
    while ((written = a.worker.session->take_written()).empty())
      a.worker.session->wait(std::chrono::milliseconds(100));
    CHECK(written[0].result.error().code == ErrorCode::lease_lost);

    must(a.worker.session->leave(a.worker.id));
    a.is_free_and_not_charged();
  }

  TEST_CASE("F11: a worker is not declared dead for a pause of the server while somebody sweeps") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    stores.sql(
        "create function pause() returns trigger language plpgsql as $$ begin "
        "update weir.worker set lease_until = clock_timestamp(); perform pg_sleep(0.01); "
        "return new; end $$");
    stores.sql(
        "create trigger pause before update on weir.uptime for each row execute function pause()");
    CHECK(must(worker.session->sweep()) == 0);
  }

  TEST_CASE("F11: a worker that joined before the failover and is not heard is charged nothing") {
    JoinedBefore a;
    a.stores.sql("update weir.worker set lease_until = clock_timestamp() returning id");
    CHECK(must(a.stores.worker_session()->sweep()) == 1);
    a.is_free_and_not_charged();
  }
}
