#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

struct Retried {
  explicit Retried(const FlowDraft& draft = flow({step("a"), of_kind("map", "b", {"a"})})) {
    worker.loads(draft);
  }
  // Fails a run of which these rows were journaled.
  std::string failed_run(const std::vector<JournalRow>& rows) {
    const std::string id = start_one(*client, "null", {.priority = 7}).id;
    run = worker.claim_one().run;
    for (const JournalRow& row : rows) worker.journals(run, row);
    worker.ends(run, {.status = RunStatus::failed, .error = "boom", .failed_step = 1});
    return id;
  }
  RunKey run = 0;
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
};

JournalRow ended(Outcome outcome, std::size_t step, std::size_t index, int attempt) {
  JournalRow row = failed(step, index, attempt, "boom");
  row.outcome = outcome;
  if (outcome == Outcome::skipped) row.error_code = "condition_unmet";
  return row;
}

}  // namespace

TEST_SUITE("store: retries by command") {
  TEST_CASE("C3: a failed run goes on with its journal and a row for each task tried anew") {
    Retried a;
    const std::string id = a.failed_run({completed(0, 0, 1, "[1,2,3]"), completed(1, 0, 1, "1"),
                                         failed(1, 1, 1, "boom"), failed(1, 1, 2, "boom"),
                                         ended(Outcome::timed_out, 1, 2, 1)});
    CHECK(must(a.client->retry(id)) == 2);
    const RunSummary open = must(a.client->summary(id));
    CHECK_FALSE(open.error.has_value());
    CHECK_FALSE(open.ended_at.has_value());
    const ClaimedRun claimed = a.worker.claim_one();
    CHECK(claimed.run == a.run);
    CHECK(claimed.priority == 7);
    CHECK(claimed.has_history);
    const auto rows = journal_of(*a.worker.session, a.run);
    REQUIRE(rows.size() == 7);
    CHECK(rows[4].task == TaskId{1, 1});
    CHECK(rows[4].attempt == 3);
    CHECK(rows[4].outcome == Outcome::retried);
    CHECK(rows[6].task == TaskId{1, 2});
    CHECK(rows[6].attempt == 2);
    CHECK(rows[6].outcome == Outcome::retried);
  }

  TEST_CASE("C3: every kind of failure is tried anew") {
    for (const Outcome outcome :
         {Outcome::failed, Outcome::failed_for_good, Outcome::timed_out, Outcome::lost}) {
      Retried a;
      CHECK(must(a.client->retry(a.failed_run({ended(outcome, 0, 0, 1)}))) == 1);
    }
  }

  TEST_CASE("C3: what was skipped or cancelled has no row of its own") {
    Retried a(flow({step("a"), step("b")}));
    JournalRow skip = ended(Outcome::skipped, 0, 0, 0);
    const std::string id =
        a.failed_run({failed(0, 0, 1, "boom"), skip, ended(Outcome::cancelled, 1, 0, 1)});
    CHECK(must(a.client->retry(id)) == 0);
    CHECK(a.worker.claim_one().has_history);
  }

  TEST_CASE("C3: a cancelled run goes on too") {
    Retried a;
    const StartedRun started = start_one(*a.client);
    must(a.client->cancel(started.id, "enough"));
    CHECK(must(a.client->retry(started.id)) == 0);
    const ClaimedRun claimed = a.worker.claim_one();
    CHECK(claimed.id == started.id);
    CHECK_FALSE(claimed.notifications.cancelled.has_value());
    CHECK_FALSE(claimed.has_history);  // E1: it starts now
    a.worker.ends(claimed.run, {.output = json("5")});
    CHECK(must(a.client->summary(started.id)).status == "completed");
  }

  TEST_CASE("C3: a run is tried anew as often as it fails") {
    Retried a(one_step());
    const std::string id = a.failed_run({failed(0, 0, 1, "boom")});
    CHECK(must(a.client->retry(id)) == 1);
    a.worker.claim_one();
    a.worker.journals(a.run, failed(0, 0, 3, "boom"));
    a.worker.ends(a.run, {.status = RunStatus::failed, .error = "again", .failed_step = 0});
    CHECK(must(a.client->retry(id)) == 1);
    CHECK(journal_of(*a.worker.session, a.run).back().attempt == 4);
  }

  TEST_CASE("C3: a run that is open or completed is refused") {
    Retried a;
    const StartedRun started = start_one(*a.client);
    const auto refused = [&] {
      const auto retried = a.client->retry(started.id);
      REQUIRE_FALSE(retried.has_value());
      CHECK(retried.error().code == ErrorCode::conflict);
      CHECK(retried.error().kind == "run_not_failed");
      return retried.error().message;
    };
    CHECK(refused() == "run " + started.id + " is not over");
    a.worker.ends(a.worker.claim_one().run, {.output = json("1")});
    CHECK(refused() == "run " + started.id + " is completed");
    CHECK(a.client->retry("0191d7a0-0000-7000-8000-000000000001").error().code ==
          ErrorCode::not_found);
  }
}
