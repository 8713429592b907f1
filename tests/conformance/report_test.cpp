#include <fmt/core.h>

#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// list → each (map) → store (map) → sum, and a root beside them.
struct Reports {
  Reports() {
    worker.loads(flow({step("list"), of_kind("map", "each", {"list"}),
                       of_kind("map", "store", {"each"}), step("sum", {"store"}), step("x")}));
    id = start_one(*client).id;
  }

  void is_claimed() { run = worker.claim_one().run; }
  std::size_t at(std::string_view slug) { return definition.find(slug).value(); }
  InFlightTask flying(std::string_view slug, std::size_t index, int attempt = 1) {
    return {run, {at(slug), index}, attempt};
  }
  void flies(std::vector<InFlightTask> tasks) {
    worker.in_flight = std::move(tasks);
    worker.exchange(worker.next());
  }
  void completes(std::string_view slug, std::size_t index, int attempt, std::string_view output) {
    worker.journals(run, completed(at(slug), index, attempt, output));
  }

  StepReport step_report(std::string_view slug) {
    return must(client->report(id)).steps.at(at(slug));
  }

  // "running 1/2 #3": status, completed of all tasks, attempts.
  std::string described(std::string_view slug) {
    const StepReport step = step_report(slug);
    CHECK(step.slug == slug);
    return fmt::format("{} {}/{} #{}", step.status, step.tasks_completed,
                       step.tasks ? std::to_string(*step.tasks) : "?", step.attempts);
  }

  FlowDefinition definition =
      built(flow({step("list"), of_kind("map", "each", {"list"}), of_kind("map", "store", {"each"}),
                  step("sum", {"store"}), step("x")}));
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
  std::string id;
  RunKey run = 0;
};

std::string text(const std::optional<Json>& json) {
  return json ? std::string(json->text()) : "none";
}

}  // namespace

TEST_SUITE("store: reports") {
  TEST_CASE("a run is queued until it is claimed and then running until it ends") {
    Reports a;
    const auto status = [&] { return must(a.client->summary(a.id)).status; };
    CHECK(status() == "queued");
    CHECK_FALSE(must(a.client->summary(a.id)).started_at.has_value());
    a.is_claimed();
    CHECK(status() == "running");
    CHECK(must(a.client->summary(a.id)).started_at.has_value());
    must(a.worker.session->leave(a.worker.id));
    CHECK(status() == "running");
  }

  TEST_CASE("steps are told from waiting to completed") {
    Reports a;
    if (!a.stores->can(Capability::step_reports)) return;
    CHECK(a.described("list") == "ready 0/1 #0");
    CHECK(a.described("each") == "waiting 0/? #0");
    CHECK(a.described("store") == "waiting 0/? #0");
    CHECK(a.described("sum") == "waiting 0/1 #0");
    CHECK(a.described("x") == "ready 0/1 #0");

    a.is_claimed();
    a.flies({a.flying("list", 0), a.flying("x", 0)});
    CHECK(a.described("list") == "running 0/1 #1");
    CHECK(a.described("x") == "running 0/1 #1");

    a.flies({});
    a.completes("list", 0, 1, "[5,6]");
    CHECK(a.described("list") == "completed 1/1 #1");
    CHECK(a.described("each") == "ready 0/2 #0");
    CHECK(a.described("store") == "waiting 0/2 #0");

    a.worker.journals(a.run, failed(a.at("each"), 1, 1, "boom"));
    CHECK(a.described("each") == "ready 0/2 #1");
    CHECK(a.step_report("each").error == "boom");

    a.flies({a.flying("each", 1, 2)});
    CHECK(a.described("each") == "running 0/2 #2");
    a.completes("each", 0, 1, "50");
    a.flies({});
    CHECK(a.described("each") == "running 1/2 #2");
    a.completes("each", 1, 2, "null");
    CHECK(a.described("each") == "completed 2/2 #3");
    CHECK_FALSE(a.step_report("each").error.has_value());
    CHECK(text(a.step_report("each").output) == "[50, null]");
    CHECK(a.described("store") == "ready 0/2 #0");
  }

  TEST_CASE("P5: maps over nothing are told as completed") {
    Reports a;
    if (!a.stores->can(Capability::step_reports)) return;
    a.is_claimed();
    a.completes("list", 0, 1, "[]");
    CHECK(a.described("each") == "completed 0/0 #0");
    CHECK(a.described("store") == "completed 0/0 #0");
    CHECK(text(a.step_report("store").output) == "[]");
    CHECK(a.described("sum") == "ready 0/1 #0");
  }

  TEST_CASE("P6: the refused output is shown with the error") {
    Reports a;
    if (!a.stores->can(Capability::step_reports)) return;
    a.is_claimed();
    JournalRow row = completed(a.at("list"), 0, 1, R"({"bad": 1})");
    row.outcome = Outcome::failed_for_good;
    row.error_code = "type_violation";
    row.error = "no array";
    a.worker.journals(a.run, row);
    a.worker.ends(a.run,
                  {.status = RunStatus::failed, .error = "no array", .failed_step = a.at("list")});
    CHECK(a.described("list") == "failed 0/1 #1");
    CHECK(text(a.step_report("list").output) == R"({"bad": 1})");
    CHECK(a.step_report("list").error == "no array");
    CHECK(a.described("each") == "cancelled 0/? #0");
    CHECK(a.described("x") == "cancelled 0/1 #0");
  }

  TEST_CASE("F6: what a failed run had completed stays completed") {
    Reports a;
    if (!a.stores->can(Capability::step_reports)) return;
    a.is_claimed();
    a.completes("x", 0, 1, "7");
    a.worker.journals(a.run, failed(a.at("list"), 0, 1, "boom"));
    a.worker.ends(a.run,
                  {.status = RunStatus::failed, .error = "boom", .failed_step = a.at("list")});
    CHECK(a.described("x") == "completed 1/1 #1");
    CHECK(text(a.step_report("x").output) == "7");
    CHECK(a.described("list") == "failed 0/1 #1");
  }

  TEST_CASE("steps come in canonical order with kinds and dependencies") {
    Reports a;
    if (!a.stores->can(Capability::step_reports)) return;
    const RunReport report = must(a.client->report(a.id));
    REQUIRE(report.steps.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
      const StepDefinition& step = a.definition.steps()[i];
      CHECK(report.steps[i].slug == step.slug.view());
      CHECK(report.steps[i].kind == name(step.kind));
      std::vector<std::string> names;
      for (const std::size_t each : step.depends_on)
        names.push_back(a.definition.steps()[each].slug.string());
      CHECK(report.steps[i].depends_on == names);
      CHECK_FALSE(report.steps[i].skip_reason.has_value());
    }
  }

  TEST_CASE("a step's times are those of its first and last attempt") {
    Reports a;
    if (!a.stores->can(Capability::step_reports)) return;
    a.is_claimed();
    JournalRow first = failed(a.at("x"), 0, 1, "boom");
    JournalRow second = completed(a.at("x"), 0, 2, "1");
    second.started_at += 60s;
    second.ended_at += 60s;
    a.worker.journals(a.run, first);
    CHECK(a.step_report("x").started_at == first.started_at);
    CHECK_FALSE(a.step_report("x").ended_at.has_value());
    a.worker.journals(a.run, second);
    CHECK(a.step_report("x").started_at == first.started_at);
    CHECK(a.step_report("x").ended_at == second.ended_at);
  }

  TEST_CASE("a report without values has neither input nor outputs") {
    Reports a;
    if (!a.stores->can(Capability::step_reports)) return;
    a.is_claimed();
    a.completes("x", 0, 1, "7");
    const RunReport report = must(a.client->report(a.id, false));
    CHECK(report.input.text() == "null");
    CHECK_FALSE(report.output.has_value());
    for (const StepReport& step : report.steps) CHECK_FALSE(step.output.has_value());
    CHECK(report.steps.at(a.at("x")).status == "completed");
  }

  TEST_CASE("runs are listed newest first and as the filter says") {
    Reports a;
    a.worker.loads(named("other", one_step()));
    const std::string other = must(a.client->start("other", {Json()}, {}))[0].id;
    const std::string last = start_one(*a.client).id;
    const auto ids = [&](const RunFilter& filter) {
      std::vector<std::string> all;
      for (const RunSummary& run : must(a.client->runs(filter))) all.push_back(run.id);
      return all;
    };
    CHECK(ids({}) == std::vector{last, other, a.id});
    CHECK(ids({.count_max = 2}) == std::vector{last, other});
    CHECK(ids({.flow = "totals"}) == std::vector{last, a.id});
    a.worker.ends(a.worker.claim_one().run, {.output = json("1")});
    CHECK(ids({.status = "completed"}) == std::vector{a.id});
    CHECK(ids({.flow = "totals", .status = "queued"}) == std::vector{last});
    CHECK(ids({.status = "cancelled"}).empty());
  }

  TEST_CASE("a run that is not there is not found") {
    Reports a;
    const std::string id = "0191d7a0-0000-7000-8000-000000000001";
    for (const Error& error : {a.client->summary(id).error(), a.client->report(id).error()}) {
      CHECK(error.code == ErrorCode::not_found);
      CHECK(error.message == "no run " + id + " in this database");
      CHECK(error.hint == "weir runs list shows the newest");
    }
  }

  TEST_CASE("a text that is not a run id is refused as such") {
    Reports a;
    const Error error = a.client->report("42").error();
    CHECK(error.code == ErrorCode::invalid_input);
    CHECK(error.message == "\"42\" is not a run id");
    CHECK(error.hint == "run ids are UUIDs: weir runs list shows them");
  }
}
