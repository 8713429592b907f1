// The end of a worker whose process crashed, reported by its parent; and the trial of suspects.
#include <algorithm>
#include <utility>

#include "conformance/test_worker.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

/// A worker that holds two runs, with the first task of each in flight.
struct Crash {
  Crash() {
    worker.loads(one_step());
    for (int i = 0; i < 2; ++i) ids.push_back(start_one(*client).id);
    for (const ClaimedRun& run : worker.claim(2)) runs.push_back(run.run);
    REQUIRE(runs.size() == 2);
    worker.in_flight = {{runs[0], {0, 0}, 1}, {runs[1], {0, 0}, 1}};
    worker.exchange(worker.next());
  }

  InFlightTask task(std::size_t run, int attempt = 1) const { return {runs[run], {0, 0}, attempt}; }
  bool ends(std::optional<InFlightTask> culprit, std::vector<InFlightTask> suspects = {}) const {
    CrashedWorker crashed{.worker = worker.id,
                          .suspects = std::move(suspects),
                          .report = "step totals.a crashed: SIGSEGV\n  a.so!a()+0x1"};
    if (culprit) crashed.culprit = {.task = *culprit, .error_code = "worker_crashed"};
    return stores->end_crashed_worker(crashed);
  }
  TestWorker another(std::vector<WorkerId> trial_of = {}) const {
    TestWorker other(*stores, std::move(trial_of));
    other.versions = worker.versions;
    return other;
  }
  static std::vector<RunKey> keys(const std::vector<ClaimedRun>& claimed) {
    std::vector<RunKey> keys;
    for (const ClaimedRun& run : claimed) keys.push_back(run.run);
    return keys;
  }
  bool is_journal_empty() const {
    return journal_of(*worker.session, runs[0]).empty() &&
           journal_of(*worker.session, runs[1]).empty();
  }

  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
  std::vector<std::string> ids;
  std::vector<RunKey> runs;
};

}  // namespace

TEST_SUITE("store: crashes") {
  TEST_CASE("F1: a crash charges the culprit with the report and nobody beside it") {
    Crash a;
    REQUIRE(a.ends(a.task(0)));
    const auto charged = journal_of(*a.worker.session, a.runs[0]);
    REQUIRE(charged.size() == 1);
    CHECK(charged[0].outcome == Outcome::failed);
    CHECK(charged[0].error_code == "worker_crashed");
    CHECK(charged[0].error == "step totals.a crashed: SIGSEGV\n  a.so!a()+0x1");
    CHECK(journal_of(*a.worker.session, a.runs[1]).empty());
  }

  TEST_CASE("F1: the runs of a crashed worker are another's at once") {
    const Crash a;
    REQUIRE(a.ends(a.task(0)));
    CHECK(a.another().claim(10).size() == 2);
  }

  TEST_CASE("F1: a process that crashed ends no worker of another process, whatever it says") {
    Crash a;
    CrashedWorker crashed{
        .worker = a.worker.id,
        .culprit = CrashedWorker::Culprit{.task = a.task(0), .error_code = "worker_crashed"}};
    for (const auto& [host, pid] : {std::pair("here", 43), std::pair("there", 42)}) {
      crashed.process = CrashedWorker::Process{.host = host, .pid = pid};
      CHECK_FALSE(a.stores->end_crashed_worker(crashed));
      CHECK(a.is_journal_empty());
      CHECK(a.another().claim(10).empty());
    }
    crashed.process = CrashedWorker::Process{.host = "here", .pid = 42};  // as TestWorker joins
    CHECK(a.stores->end_crashed_worker(crashed));
  }

  TEST_CASE("L2: what a crashed worker says is refused") {
    Crash a;
    REQUIRE(a.ends({}));
    const auto reply = a.worker.session->exchange(a.worker.next());
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == ErrorCode::lease_lost);
    CHECK(must(a.client->workers(1)).at(0).end_reason == "crashed");
  }

  TEST_CASE("F10: where nobody is to blame nobody is charged") {
    const Crash a;
    REQUIRE(a.ends({}, {a.task(0), a.task(1)}));
    CHECK(a.is_journal_empty());
  }

  TEST_CASE("F1: an attempt that the worker did not state is not charged") {
    const Crash a;
    REQUIRE(a.ends(a.task(0, 2)));
    CHECK(a.is_journal_empty());
  }

  TEST_CASE("F1: a worker ends once and not after it left") {
    Crash a;
    REQUIRE(a.ends(a.task(0)));
    CHECK_FALSE(a.ends(a.task(1)));
    CHECK(journal_of(*a.worker.session, a.runs[1]).empty());
    TestWorker left(*a.stores);
    must(left.session->leave(left.id));
    CHECK_FALSE(a.stores->end_crashed_worker({.worker = left.id}));
  }

  TEST_CASE("F10: the run of a suspect is no ordinary worker's and the others are") {
    Crash a;
    REQUIRE(a.ends({}, {a.task(0)}));
    CHECK(must(a.worker.session->sweep()) == 0);
    CHECK(a.keys(a.another().claim(10)) == std::vector{a.runs[1]});
  }

  TEST_CASE("F10: a trial takes the runs that the crashed worker keeps and nothing else") {
    Crash a;
    start_one(*a.client);
    REQUIRE(a.ends({}, {a.task(0), a.task(1)}));
    TestWorker trial = a.another({a.worker.id});
    const auto claimed = trial.claim(10);
    CHECK(a.keys(claimed) == a.runs);
    CHECK(std::ranges::all_of(claimed, &ClaimedRun::has_history));
    CHECK(trial.claim(10).empty());
    CHECK(a.another().claim(10).size() == 1);  // the one that was started meanwhile
  }

  TEST_CASE("F10: a trial whose exchange is repeated has the same runs") {
    Crash a;
    REQUIRE(a.ends({}, {a.task(0)}));
    TestWorker trial = a.another({a.worker.id});
    const ExchangeRequest request = trial.next(10);
    CHECK(a.keys(trial.exchange(request).claimed) == std::vector{a.runs[0]});
    CHECK(a.keys(trial.exchange(request).claimed) == std::vector{a.runs[0]});
  }

  TEST_CASE("F10: a trial takes nothing of a living worker") {
    const Crash a;
    CHECK(a.another({a.worker.id}).claim(10).empty());
  }

  TEST_CASE("L4: a trial takes no run of a version that it has not loaded") {
    const Crash a;
    REQUIRE(a.ends({}, {a.task(0)}));
    TestWorker trial = a.another({a.worker.id});
    trial.versions.clear();
    trial.loads(named("another", one_step()));
    CHECK(trial.claim(10).empty());
  }

  TEST_CASE("C2: a trial takes no run of a paused flow") {
    Crash a;
    REQUIRE(a.ends({}, {a.task(0)}));
    must(a.client->pause("totals"));
    TestWorker trial = a.another({a.worker.id});
    CHECK(trial.claim(10).empty());
    must(a.client->resume("totals"));
    CHECK(trial.claim(10).size() == 1);
  }

  TEST_CASE("F10: what a trial releases is everybody's again") {
    Crash a;
    REQUIRE(a.ends({}, {a.task(0)}));
    TestWorker trial = a.another({a.worker.id});
    REQUIRE(trial.claim(10).size() == 1);
    ExchangeRequest request = trial.next();
    request.released.push_back({a.runs[0], {}});
    trial.exchange(request);
    CHECK(a.another().claim(10).size() == 2);
  }

  TEST_CASE("F10: what nobody tries is everybody's again and nobody is charged") {
    Crash a;
    REQUIRE(a.stores->end_crashed_worker({.worker = a.worker.id,
                                          .suspects = {a.task(0)},
                                          .kept_for = std::chrono::milliseconds(1)}));
    TestWorker next = a.another();
    std::size_t claimed = 0;
    CHECK(eventually([&] {
      must(next.session->sweep());
      return (claimed += next.claim(10).size()) == 2;
    }));
    CHECK(a.another({a.worker.id}).claim(10).empty());
    CHECK(a.is_journal_empty());
  }

  TEST_CASE("C1: a suspect that is cancelled ends with its trial") {
    Crash a;
    REQUIRE(a.ends({}, {a.task(0)}));
    must(a.client->cancel(a.ids[0], "enough"));
    TestWorker trial = a.another({a.worker.id});
    const ClaimedRun run = trial.claim_one();
    CHECK(run.notifications.cancelled == "enough");
  }

  TEST_CASE("C1: a run that was cancelled before the crash ends with it") {
    Crash a;
    must(a.client->cancel(a.ids[0], "enough"));
    REQUIRE(a.ends({}, {a.task(0)}));
    CHECK(must(a.client->report(a.ids[0])).summary.status == "cancelled");
  }
}
