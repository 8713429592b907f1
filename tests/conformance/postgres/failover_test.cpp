// What a worker may do behind a standby that has taken over: PostgreSQL shows it by the timeline.
#include <doctest/doctest.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;

TEST_SUITE("postgres: failover") {
  TEST_CASE("L6: behind a standby a worker that joined before writes nothing and gives all back") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    worker.loads(one_step());
    const auto client = stores.client_session();
    start_one(*client);
    const RunKey run = worker.claim_one().run;
    worker.in_flight = {{run, {0, 0}, 1}};
    worker.exchange(worker.next());
    stores.sql("update weir.worker set timeline = '0000FFFF' returning id");

    const SettledAttempt settled{run, completed(0, 0, 1, "[]"), {}};
    ExchangeRequest request = worker.next();
    request.settled = {settled};
    CHECK(worker.session->exchange(request).error().code == ErrorCode::lease_lost);
    CHECK(worker.session->resolve(worker.id, settled).error().code == ErrorCode::lease_lost);
    CHECK(worker.session->close_waits(worker.id, {{run, 0}}).error().code == ErrorCode::lease_lost);
    CHECK(worker.starts_child(run, 0, 1, "totals", json("1")).error().code ==
          ErrorCode::lease_lost);
    worker.session->write_large(worker.id, EndedRun{run, {.output = json("1")}});
    std::vector<LargeWritten> written;
    while ((written = worker.session->take_written()).empty())
      worker.session->wait(std::chrono::milliseconds(100));
    CHECK(written[0].result.error().code == ErrorCode::lease_lost);

    must(worker.session->leave(worker.id));
    TestWorker next(stores);
    next.versions = worker.versions;
    CHECK(next.claim_one().run == run);
    CHECK(journal_of(*next.session, run).empty());
  }
}
