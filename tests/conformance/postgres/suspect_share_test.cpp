// Shares of a helper whose process crashed and nobody is to blame (F10).
#include <array>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/end_crashed_worker.hpp"
#include "store/share_store.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

/// A helper that runs some elements of the share [4, 8] of an owner's run.
struct Helped {
  Helped() {
    owner.loads(flow({of_kind("map", "m")}));
    helper.versions = owner.versions;
    start_one(*client, "[0,10,20,30,40,50,60,70,80,90]");
    run = owner.claim_one().run;
    std::vector<Json> inputs;
    for (int i = 4; i <= 8; ++i) inputs.push_back(Json::number(10 * i));
    must(owner.session->shares()->offer_shares(
        owner.id, run,
        std::array{OfferedRange{.step = 0, .attempt = 1, .first = 4, .inputs = inputs}}));
    REQUIRE(takes(helper).size() == 1);
    for (const std::size_t index : {4U, 5U, 6U, 8U}) helper.in_flight.push_back(element(index));
    helper.exchange(helper.next());
  }

  InFlightTask element(std::size_t index) const { return {run, {0, index}, 1}; }
  std::vector<TakenShare> takes(const TestWorker& worker, std::size_t count = 10) {
    return must(worker.session->shares()->take_shares(worker.id, worker.versions, count, {}));
  }
  /// "4: 40; 6,7: 60,70; "
  std::string text_of(const std::vector<TakenShare>& taken) {
    std::string all;
    for (const TakenShare& share : taken) {
      std::string inputs;
      for (std::size_t i = 0; i < share.indexes.size(); ++i) {
        all += (i == 0 ? "" : ",") + std::to_string(share.indexes[i]);
        inputs += fmt::format("{}{}", i == 0 ? "" : ",", share.inputs[i].text());
      }
      all += ": " + inputs + "; ";
    }
    return all;
  }
  TestWorker another(std::vector<WorkerId> trial_of = {}) {
    TestWorker other(stores, std::move(trial_of));
    other.versions = owner.versions;
    return other;
  }

  PostgresUnderTest stores;
  TestWorker owner{stores}, helper{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  RunKey run = 0;
};

}  // namespace

TEST_SUITE("postgres: suspects in shares") {
  TEST_CASE("F10: suspect elements are cut out and the others can be had at once") {
    Helped a;
    REQUIRE(a.stores.end_crashed_worker(
        {.worker = a.helper.id, .suspects = {a.element(5), a.element(8)}}));
    CHECK(journal_of(*a.owner.session, a.run).empty());
    CHECK(a.text_of(a.takes(a.another())) == "4: 40; 6,7: 60,70; ");
  }

  TEST_CASE("F10: the first and the last element and neighbours can be suspects") {
    Helped a;
    REQUIRE(a.stores.end_crashed_worker(
        {.worker = a.helper.id, .suspects = {a.element(4), a.element(5), a.element(8)}}));
    CHECK(a.text_of(a.takes(a.another())) == "6,7: 60,70; ");
    TestWorker trial = a.another({a.helper.id});
    CHECK(trial.claim(10).empty());
    CHECK(a.text_of(a.takes(trial)) == "4: 40; 8: 80; 5: 50; ");
  }

  TEST_CASE("F10: a trial is given what it took over and nothing else") {
    Helped a;
    REQUIRE(a.stores.end_crashed_worker({.worker = a.helper.id, .suspects = {a.element(5)}}));
    TestWorker trial = a.another({a.helper.id});
    CHECK(a.takes(trial).empty());
    trial.claim(10);
    CHECK(a.text_of(a.takes(trial)) == "5: 50; ");
  }

  TEST_CASE("F10: an element that crashes alone is charged") {
    Helped a;
    REQUIRE(a.stores.end_crashed_worker({.worker = a.helper.id, .suspects = {a.element(5)}}));
    TestWorker trial = a.another({a.helper.id});
    trial.claim(10);
    REQUIRE(a.takes(trial).size() == 1);
    trial.in_flight = {a.element(5)};
    trial.exchange(trial.next());
    REQUIRE(a.stores.end_crashed_worker(
        {.worker = trial.id,
         .culprit = CrashedWorker::Culprit{.task = a.element(5), .error_code = "worker_crashed"},
         .report = "alone"}));
    const auto rows = journal_of(*a.owner.session, a.run);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].task == TaskId{0, 5});
    CHECK(rows[0].outcome == Outcome::failed);
  }

  TEST_CASE("F10: suspects of a trial that nobody holds can be had again at once") {
    Helped a;
    start_one(*a.client, "[0,10]");
    TestWorker next = a.another();
    const ClaimedRun own = next.claim_one();
    next.in_flight = {{own.run, {0, 0}, 1}};
    next.exchange(next.next());
    REQUIRE(a.stores.end_crashed_worker({.worker = a.helper.id, .suspects = {a.element(5)}}));
    REQUIRE(a.stores.end_crashed_worker({.worker = next.id, .suspects = next.in_flight}));
    TestWorker another = a.another();
    CHECK(a.text_of(a.takes(another)) == "4: 40; 6,7,8: 60,70,80; ");
    CHECK(another.claim(10).empty());
    must(postgres::give_up_trial(a.stores.url(), {a.helper.id, next.id}));
    CHECK(a.text_of(a.takes(another)) == "5: 50; ");
    CHECK(another.claim_one().run == own.run);
    must(postgres::give_up_trial(a.stores.url(), {a.helper.id, a.owner.id}));
    CHECK(a.stores.sql("select count(*) from weir.worker where ended_at is null").at(0) == "2");
    CHECK(journal_of(*a.owner.session, a.run).empty());
  }

  TEST_CASE("F10: a suspect element that nobody tries can be had again") {
    Helped a;
    REQUIRE(a.stores.end_crashed_worker({.worker = a.helper.id,
                                         .suspects = {a.element(5)},
                                         .kept_for = std::chrono::milliseconds(1)}));
    TestWorker next = a.another();
    std::string taken;
    CHECK(eventually([&] {
      must(next.session->sweep());
      return (taken += a.text_of(a.takes(next))).contains("5: 50; ");
    }));
    CHECK(a.stores.sql("select count(*) from weir.worker where keeps_runs").at(0) == "0");
  }
}
