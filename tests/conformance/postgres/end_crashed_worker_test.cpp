// The end of a worker whose process crashed, reported by its parent.
#include "store/postgres/end_crashed_worker.hpp"

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

/// A worker that holds two runs, with the first task of each in flight.
struct Crash {
  Crash() {
    worker.loads(one_step());
    must(client->start("totals", std::vector<Json>(2), {}));
    for (const ClaimedRun& run : worker.claim(2)) runs.push_back(run.run);
    REQUIRE(runs.size() == 2);
    worker.in_flight = {{runs[0], {0, 0}, 1}, {runs[1], {0, 0}, 1}};
    worker.exchange(worker.next());
  }

  CrashedWorker crashed(std::optional<InFlightTask> culprit) const {
    CrashedWorker crashed{.worker = worker.id,
                          .report = "step totals.a crashed: SIGSEGV\n  a.so!a()+0x1"};
    if (culprit) crashed.culprit = {.task = *culprit, .error_code = "worker_crashed"};
    return crashed;
  }
  bool buries(std::optional<InFlightTask> culprit) const {
    return must(postgres::end_crashed_worker(stores.url(), crashed(culprit)));
  }

  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  std::vector<RunKey> runs;
};

}  // namespace

TEST_SUITE("postgres: burials") {
  TEST_CASE("F1: a crash charges the culprit with the report and nobody beside it") {
    Crash a;
    REQUIRE(a.buries(InFlightTask{a.runs[0], {0, 0}, 1}));
    const auto charged = journal_of(*a.worker.session, a.runs[0]);
    REQUIRE(charged.size() == 1);
    CHECK(charged[0].outcome == Outcome::failed);
    CHECK(charged[0].error_code == "worker_crashed");
    CHECK(charged[0].error == "step totals.a crashed: SIGSEGV\n  a.so!a()+0x1");
    CHECK(journal_of(*a.worker.session, a.runs[1]).empty());
  }

  TEST_CASE("F1: the runs of a buried worker are another's at once") {
    Crash a;
    REQUIRE(a.buries(InFlightTask{a.runs[0], {0, 0}, 1}));
    TestWorker next(a.stores);
    next.versions = a.worker.versions;
    CHECK(next.claim(10).size() == 2);
  }

  TEST_CASE("L2: what a buried worker says is refused") {
    Crash a;
    REQUIRE(a.buries({}));
    const auto reply = a.worker.session->exchange(a.worker.next());
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::lease_lost);
    CHECK(a.stores.sql("select end_reason from weir.worker") ==
          std::vector<std::string>{"crashed"});
  }

  TEST_CASE("F1: where nobody is to blame all that was in flight counts as lost") {
    Crash a;
    REQUIRE(a.buries({}));
    for (const RunKey run : a.runs) {
      const auto lost = journal_of(*a.worker.session, run);
      REQUIRE(lost.size() == 1);
      CHECK(lost[0].outcome == Outcome::lost);
    }
  }

  TEST_CASE("F1: an attempt that the worker did not state is not charged") {
    Crash a;
    REQUIRE(a.buries(InFlightTask{a.runs[0], {0, 0}, 2}));
    CHECK(journal_of(*a.worker.session, a.runs[0]).empty());
  }

  TEST_CASE("F1: a worker is buried once and not after it left") {
    Crash a;
    REQUIRE(a.buries(InFlightTask{a.runs[0], {0, 0}, 1}));
    CHECK_FALSE(a.buries(InFlightTask{a.runs[1], {0, 0}, 1}));
    CHECK(journal_of(*a.worker.session, a.runs[1]).empty());
    TestWorker left(a.stores);
    must(left.session->leave(left.id));
    CHECK_FALSE(must(postgres::end_crashed_worker(a.stores.url(), {.worker = left.id})));
  }
}
