// What is large of a run is written beside the exchanges of its worker (L10).
#include "conformance/stores_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "conformance/wide.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

struct Large {
  Large() {
    worker.loads(one_step());
    must(client->start("totals", {Json()}, {}));
    run = worker.claim_one();
  }
  SettledAttempt result(int attempt = 1) {
    const Time now = worker.exchange(worker.next()).now;
    return {.run = run.run,
            .row = {.task = {.step = 0, .index = 0},
                    .attempt = attempt,
                    .output = json("[1, 2]"),
                    .started_at = now,
                    .ended_at = now},
            .plugin = std::nullopt};
  }
  EndedRun end() const { return {.run = run.run, .end = {.output = json(R"({"a": [1, 2]})")}}; }
  // What became of it.
  Result<void> written(WorkerId by, LargeWrite write) {
    worker.session->write_large(by, std::move(write));
    std::vector<LargeWritten> all;
    REQUIRE(eventually([&] {
      all = worker.session->take_written();
      return !all.empty();
    }));
    REQUIRE(all.size() == 1);
    return std::move(all.front().result);
  }
  std::vector<JournalRow> rows() {
    const std::vector<RunKey> runs{run.run};
    return must(worker.session->journal(runs))[run.run];
  }

  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
  ClaimedRun run;
};

}  // namespace

TEST_SUITE("large values") {
  TEST_CASE("L10: a large result is journaled once however often it is written") {
    Large a;
    const SettledAttempt result = a.result();
    for (int time = 0; time < 3; ++time) must(a.written(a.worker.id, result));
    REQUIRE(a.rows().size() == 1);
    CHECK(a.rows().front().output->text() == "[1, 2]");
    CHECK(a.rows().front().outcome == Outcome::completed);
    must(a.client->summary(a.run.id));
    CHECK(must(a.client->summary(a.run.id)).status == "running");
  }

  TEST_CASE("L10: a run that ends with a large output is completed once") {
    Large a;
    must(a.written(a.worker.id, a.result()));
    for (int time = 0; time < 3; ++time) must(a.written(a.worker.id, a.end()));
    const RunReport report = must(a.client->report(a.run.id, true));
    CHECK(report.summary.status == "completed");
    CHECK(report.output->text() == R"({"a": [1, 2]})");
    CHECK_FALSE(report.summary.error.has_value());
    CHECK(a.worker.exchange(a.worker.next()).busy.empty());
  }

  TEST_CASE("L2: what is large of a run that is another worker's is not written") {
    Large a;
    const TestWorker other(*a.stores);
    for (const LargeWrite& write : {LargeWrite(a.result()), LargeWrite(a.end())})
      CHECK(a.written(other.id, write).error().code == ErrorCode::lease_lost);
    CHECK(a.rows().empty());
    CHECK(must(a.client->summary(a.run.id)).status == "running");
    const SettledAttempt late = a.result();
    must(a.worker.session->leave(a.worker.id));
    CHECK(a.written(a.worker.id, late).error().code == ErrorCode::lease_lost);
    CHECK(a.rows().empty());
  }

  TEST_CASE("L2: what is large of a share that is not held is not written as of an own run") {
    Large a;
    SettledAttempt former = a.result();
    former.share = 1'000'000;
    CHECK(a.written(a.worker.id, former).error().code == ErrorCode::lease_lost);
    CHECK(a.rows().empty());
    must(a.written(a.worker.id, a.result()));
    CHECK(a.rows().size() == 1);
  }

  TEST_CASE("C8: a parent is told when its child run ends with a large output") {
    Large a;
    FlowDraft::Step sub = of_kind("flow", "sub");
    sub.flow = "totals";
    a.worker.loads(named("parent", flow({sub})));
    must(a.client->start("parent", {Json()}, {}));
    const ClaimedRun parent = a.worker.claim_one();
    must(a.worker.starts_child(parent.run, 0, 1, "totals", Json()));
    a.run = a.worker.claim_one();
    must(a.written(a.worker.id, a.end()));
    const ExchangeReply reply = a.worker.exchange(a.worker.next());
    REQUIRE(reply.notifications.contains(parent.run));
    const auto& children = reply.notifications.at(parent.run).children;
    REQUIRE(children.contains({0, 1}));
    CHECK(children.at({0, 1}).output.text() == R"({"a": [1, 2]})");
  }

  TEST_CASE("what was forgotten is not returned") {
    Large a;
    a.worker.session->write_large(a.worker.id, a.result());
    a.worker.session->forget_large();
    CHECK(a.worker.session->take_written().empty());
    const SettledAttempt other = a.result(2);
    must(a.written(a.worker.id, other));
  }

  TEST_CASE("L7: a helper writes a large result of its share and the owner is notified once") {
    const std::unique_ptr<StoresUnderTest> stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(0, 2)});
    const TakenShare share = a.takes_one(a.helper);
    const Time now = a.helper.exchange(a.helper.next()).now;
    const SettledAttempt settled{.run = a.run,
                                 .row = {.task = {.step = 0, .index = 1},
                                         .output = json("[7]"),
                                         .started_at = now,
                                         .ended_at = now},
                                 .plugin = std::nullopt,
                                 .share = share.share};
    for (int time = 0; time < 2; ++time) {
      a.helper.session->write_large(a.helper.id, settled);
      std::vector<LargeWritten> all;
      REQUIRE(eventually([&] {
        all = a.helper.session->take_written();
        return !all.empty();
      }));
      CHECK(all.at(0).result.has_value());
    }
    const auto results = a.fetch_results(a.owner);
    REQUIRE(results.size() == 1);
    CHECK(results[0].row.task.index == 1);
    CHECK(results[0].row.output->text() == "[7]");
    // What was written is not replaced; one element is left.
    JournalRow again = settled.row;
    again.output = Json();
    CHECK(must(a.settles(a.helper, share.share, {again})) == 1);
    CHECK(a.fetch_results(a.owner, {results[0].notification}).empty());
    again.task.index = 0;
    CHECK(must(a.settles(a.helper, share.share, {again})) == 0);
  }
}
