#include "cli/views/run_view.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "cli/terminal/progress.hpp"
#include "cli/terminal/times.hpp"
#include "unit/cli/now.hpp"

using namespace weir;
using namespace weir::cli;
using namespace std::chrono_literals;
using weir::testing::noon;

namespace {

constexpr Terminal terminal{.live = true, .colour = false, .unicode = true, .columns = 80};

StepReport step(std::string slug, std::string status) {
  StepReport report;
  report.slug = std::move(slug);
  report.kind = "single";
  report.status = std::move(status);
  report.tasks = 1;
  return report;
}

RunReport failed_run() {
  RunReport report;
  report.summary = {.id = "0198c0de-0000-7000-8000-000000000001",
                    .flow = "order",
                    .version = 2,
                    .status = "failed",
                    .error = "step \"charge\" failed: no money\nand not a word more",
                    .created_at = noon,
                    .started_at = noon,
                    .ended_at = noon + 2340ms,
                    .wake_at = std::nullopt};
  report.input = Json::trusted("{\"id\": 7}");
  report.steps = {step("check", "completed"), step("price", "completed"), step("charge", "failed"),
                  step("send", "cancelled")};
  report.steps[0].attempts = 1;
  report.steps[0].started_at = noon;
  report.steps[0].ended_at = noon + 850us;
  report.steps[1].kind = "map";
  report.steps[1].tasks = 1000;
  report.steps[1].tasks_completed = 1000;
  report.steps[1].attempts = 1002;
  report.steps[2].attempts = 3;
  report.steps[2].error = "no money";
  return report;
}

}  // namespace

TEST_SUITE_BEGIN("cli: runs");

TEST_CASE("a run is shown with its values and a line for each step") {
  CHECK(run_text(failed_run(), terminal) ==
        "0198c0de-0000-7000-8000-000000000001  order version 2  failed\n"
        "input    {\"id\": 7}\n"
        "error    step \"charge\" failed: no money\n"
        "started  2026-11-21 12:00:00 UTC, took 2.3s\n"
        "\n"
        "  ✓ check   completed  850us\n"
        "  ✓ price   completed  1000/1000  1002 attempts\n"
        "  ✗ charge  failed  3 attempts  no money\n"
        "  ■ send    cancelled\n");
}

TEST_CASE("L4: a run that no worker may begin says why") {
  RunReport report = failed_run();
  report.steps.clear();
  report.summary.status = "queued";
  report.summary.error = std::nullopt;
  report.summary.started_at = report.summary.ended_at = std::nullopt;
  report.waits_for =
      "no live worker has version 2 of flow order: weir flows versions order says what to do";
  CHECK(run_text(report, terminal) ==
        "0198c0de-0000-7000-8000-000000000001  order version 2  queued\n"
        "input    {\"id\": 7}\n"
        "waits    no live worker has version 2 of flow order: weir flows versions order\n"
        "         says what to do\n");
}

TEST_CASE("waits and child runs and skips and new tries are told in 80 columns") {
  RunReport report;
  report.summary = failed_run().summary;
  report.summary.status = "running";
  report.summary.error = report.summary.note = std::nullopt;
  report.summary.ended_at = std::nullopt;
  report.summary.priority = 10;
  report.summary.tags = {"eve", "shop"};
  report.summary.parent_run = "0198c0de-0000-7000-8000-000000000009";
  report.steps = {step("approval", "running"), step("ship", "running"), step("remind", "skipped"),
                  step("pay", "completed")};
  report.steps[0].kind = "wait";
  report.steps[0].signal = "approved";
  report.steps[0].until = noon + 48h;
  report.steps[1].kind = "flow";
  report.steps[1].child_run = "0198c0de-0000-7000-8000-000000000002";
  report.steps[2].skip_reason = "condition_unmet";
  report.steps[3].attempts = 4;
  report.steps[3].retried = 1;
  CHECK(run_text(report, terminal) ==
        "0198c0de-0000-7000-8000-000000000001  order version 2  running\n"
        "input    null\n"
        "started  2026-11-21 12:00:00 UTC\n"
        "priority 10\n"
        "tags     eve, shop\n"
        "child of 0198c0de-0000-7000-8000-000000000009\n"
        "\n"
        "  ▸ approval  waits for \"approved\" until 2026-11-23 12:00:00\n"
        "  ▸ ship      running  run 0198c0de-0000-7000-8000-000000000002\n"
        "  ↷ remind    skipped  condition_unmet\n"
        "  ✓ pay       completed  4 attempts  1 retried\n");
  report.summary.note = "all leaves were skipped";
  CHECK(run_text(report, terminal).contains("\nnote     all leaves were skipped\n"));
}

TEST_CASE("a value that is long is cut on a terminal and whole in a pipe") {
  RunReport report = failed_run();
  report.input = Json::trusted("\"" + std::string(200, 'x') + "\"");
  CHECK(run_text(report, terminal).contains("input    \"" + std::string(69, 'x') + "…\n"));
  CHECK(run_text(report, {}).contains("input    \"" + std::string(200, 'x') + "\"\n"));
}

TEST_CASE("a run that sleeps says when it starts") {
  RunReport report;
  report.summary = failed_run().summary;
  report.summary.status = "queued";
  report.summary.started_at = report.summary.ended_at = std::nullopt;
  report.summary.error = std::nullopt;
  report.summary.wake_at = noon + 1h;
  CHECK(run_text(report, {}) ==
        "0198c0de-0000-7000-8000-000000000001  order version 2  queued\n"
        "input    null\n"
        "starts   2026-11-21 13:00:00 UTC\n");
}

TEST_CASE("runs are listed in 80 columns with how long ago they began") {
  const std::vector<RunSummary> runs = {failed_run().summary};
  CHECK(runs_text(runs, noon + 90s, terminal) ==
        "RUN                                   FLOW   STATUS  STARTED  TOOK\n"
        "0198c0de-0000-7000-8000-000000000001  order  failed  1m ago   2.3s\n");
  CHECK(runs_text(runs, noon + 90s, {}) ==
        "RUN                                   FLOW   STATUS  STARTED (UTC)        TOOK\n"
        "0198c0de-0000-7000-8000-000000000001  order  failed  2026-11-21 12:00:00  2.3s\n");
}

TEST_CASE("in a pipe each change of a step is one line and no line is said twice") {
  RunReport report = failed_run();
  report.summary.status = "running";
  report.steps = {step("check", "ready"), step("send", "waiting")};
  Progress progress({});
  CHECK(progress.update(report) == "");
  report.steps[0].status = "running";
  CHECK(progress.update(report) == "  > check  running\n");
  CHECK(progress.update(report) == "");
  report.steps[0].status = "completed";
  report.steps[1].status = "running";
  CHECK(progress.update(report) == "  + check  completed\n  > send   running\n");
  progress.remark("nobody is there");
  CHECK(progress.update(report) == "nobody is there\n");
  CHECK(progress.update(report) == "");
  CHECK(progress.clear() == "");
}

TEST_CASE("on a terminal the block is drawn over when something changed") {
  RunReport report = failed_run();
  report.summary.status = "running";
  report.steps = {step("check", "running"), step("send", "waiting")};
  Progress progress(terminal);
  CHECK(progress.update(report) == "order  running\n  ▸ check  running\n  · send   waiting\n");
  CHECK(progress.update(report) == "");
  progress.remark("nobody is there");
  CHECK(progress.update(report) ==
        "\x1b[3A\x1b[Jorder  running\n  ▸ check  running\n  · send   waiting\nnobody is there\n");
  CHECK(progress.clear() == "\x1b[4A\x1b[J");
  CHECK(progress.clear() == "");
}

TEST_CASE("of a flow with many steps the block shows those where something happens") {
  RunReport report = failed_run();
  report.steps.clear();
  for (int i = 0; i < 30; ++i)
    report.steps.push_back(step("s" + std::to_string(i), i == 29 ? "running" : "waiting"));
  const std::string block = Progress(terminal).update(report);
  CHECK(block.starts_with("order  failed\n  ▸ s29  running\n  · s0   waiting\n"));
  CHECK(block.ends_with("  and 14 more steps\n"));
}

TEST_CASE("durations fit in six characters") {
  CHECK(shown_duration(0us) == "0us");
  CHECK(shown_duration(-5us) == "0us");
  CHECK(shown_duration(999us) == "999us");
  CHECK(shown_duration(1ms) == "1ms");
  CHECK(shown_duration(999'499us) == "999ms");
  CHECK(shown_duration(999'500us) == "1.0s");
  CHECK(shown_duration(59'949ms) == "59.9s");
  CHECK(shown_duration(59'950ms) == "1m00s");
  CHECK(shown_duration(5min + 7s) == "5m07s");
  CHECK(shown_duration(2h + 15min) == "2h15m");
  CHECK(shown_duration(76h) == "3d04h");
}

TEST_CASE("ages are told in their largest unit and a clock that is behind says now") {
  CHECK(shown_age(-3s) == "now");
  CHECK(shown_age(999ms) == "now");
  CHECK(shown_age(12s) == "12s ago");
  CHECK(shown_age(59min) == "59m ago");
  CHECK(shown_age(23h) == "23h ago");
  CHECK(shown_age(48h) == "2d ago");
}

TEST_CASE("times are UTC") {
  CHECK(shown_time(noon + 59s + 999ms) == "2026-11-21 12:00:59");
  CHECK(shown_time(Time(-1us)) == "1969-12-31 23:59:59");
}
