#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

struct Ends {
  Ends() {
    worker.loads(one_step());
    id = start_one(*client, R"({"n": 1})").id;
    run = worker.claim_one().run;
  }
  RunReport report() { return must(client->report(id)); }
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
  std::string id;
  RunKey run = 0;
};

}  // namespace

TEST_SUITE("store: ends") {
  TEST_CASE("P7: a completed run keeps its output") {
    Ends a;
    a.worker.journals(a.run, completed(0, 0, 1, "5"));
    a.worker.ends(a.run, {.output = json(R"({"a":5})")});
    const RunReport report = a.report();
    CHECK(report.summary.status == "completed");
    REQUIRE(report.output.has_value());
    CHECK(report.output->text() == R"({"a": 5})");
    CHECK_FALSE(report.summary.error.has_value());
    REQUIRE(report.summary.started_at.has_value());
    REQUIRE(report.summary.ended_at.has_value());
    CHECK(*report.summary.started_at >= report.summary.created_at);
    CHECK(*report.summary.ended_at >= *report.summary.started_at);
    CHECK_FALSE(report.summary.wake_at.has_value());
  }

  TEST_CASE("L3: no run ends before its last step whatever the clock of its worker says") {
    for (const RunStatus status : {RunStatus::completed, RunStatus::failed, RunStatus::cancelled}) {
      Ends a;
      JournalRow row = completed(0, 0, 1, "5");
      row.started_at = a.worker.exchange(a.worker.next()).now + std::chrono::minutes(1);
      row.ended_at = row.started_at + std::chrono::minutes(1);
      ExchangeRequest request = a.worker.next();
      request.settled.push_back({a.run, row, {}});
      const bool held = status != RunStatus::cancelled;
      if (held)
        request.ended.push_back({a.run, {.status = status, .output = json("5")}});
      else
        request.released.push_back({a.run, {}});
      a.worker.exchange(request);
      if (!held) must(a.client->cancel(a.id, "enough"));
      const JournalRow kept = journal_of(*a.worker.session, a.run).front();
      CHECK(kept.started_at <= kept.ended_at);
      CHECK(kept.ended_at <= a.report().summary.ended_at.value());
    }
  }

  TEST_CASE("P8: an output of null is an output") {
    Ends a;
    a.worker.ends(a.run, {.output = Json()});
    REQUIRE(a.report().output.has_value());
    CHECK(a.report().output->text() == "null");
  }

  TEST_CASE("F1: a failed run keeps its error and the step that failed") {
    Ends a;
    if (!a.stores->can(Capability::step_reports)) return;
    a.worker.journals(a.run, failed(0, 0, 1, "no such order"));
    a.worker.ends(a.run, {.status = RunStatus::failed,
                          .error = R"(step "a" failed: "no such order" \ 漢)",
                          .failed_step = 0});
    const RunReport report = a.report();
    CHECK(report.summary.status == "failed");
    CHECK(report.summary.error == R"(step "a" failed: "no such order" \ 漢)");
    CHECK_FALSE(report.output.has_value());
    REQUIRE(report.steps.size() == 1);
    CHECK(report.steps[0].status == "failed");
    CHECK(report.steps[0].error == "no such order");
    CHECK(report.steps[0].attempts == 1);
  }

  TEST_CASE("F6: what was open in a run that failed is cancelled") {
    Ends a;
    if (!a.stores->can(Capability::step_reports)) return;
    a.worker.ends(a.run, {.status = RunStatus::failed, .error = "x"});
    CHECK(a.report().steps[0].status == "cancelled");
  }

  TEST_CASE("a cancelled run says so") {
    Ends a;
    if (!a.stores->can(Capability::step_reports)) return;
    a.worker.ends(a.run, {.status = RunStatus::cancelled});
    CHECK(a.report().summary.status == "cancelled");
    CHECK(a.report().steps[0].status == "cancelled");
  }

  TEST_CASE("an ended run is never claimed again") {
    Ends a;
    a.worker.ends(a.run, {.output = json("1")});
    CHECK(a.worker.claim(10).empty());
    TestWorker next(*a.stores);
    next.versions = a.worker.versions;
    CHECK(next.claim(10).empty());
  }

  TEST_CASE("P1: attempts and the end they lead to come in one exchange") {
    Ends a;
    if (!a.stores->can(Capability::step_reports)) return;
    ExchangeRequest request = a.worker.next(1);
    request.settled.push_back({a.run, completed(0, 0, 1, "5"), {}});
    request.ended.push_back({a.run, {.output = json(R"({"a":5})")}});
    start_one(*a.client, "2");
    const ExchangeReply reply = a.worker.exchange(request);
    REQUIRE(reply.claimed.size() == 1);
    CHECK(reply.claimed[0].input.text() == "2");
    CHECK(a.report().summary.status == "completed");
    CHECK(a.report().steps[0].status == "completed");
  }

  TEST_CASE("many runs end in one exchange each with its own end") {
    Ends a;
    const auto started = must(a.client->start("totals", std::vector<Json>(50), {}));
    const auto claimed = a.worker.claim(50);
    ExchangeRequest request = a.worker.next();
    for (std::size_t i = 0; i < claimed.size(); ++i)
      request.ended.push_back(
          {claimed[i].run, i % 2 == 0
                               ? RunEnd{.output = Json::number(static_cast<int>(i))}
                               : RunEnd{.status = RunStatus::failed, .error = std::to_string(i)}});
    a.worker.exchange(request);
    for (std::size_t i = 0; i < started.size(); ++i) {
      const RunReport report = must(a.client->report(started[i].id));
      CHECK(report.summary.status == (i % 2 == 0 ? "completed" : "failed"));
      if (i % 2 == 0)
        CHECK(report.output == Json::number(static_cast<int>(i)));
      else
        CHECK(report.summary.error == std::to_string(i));
    }
  }
}
