#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;

namespace {

// What this process has computed, in seconds: other processes do not count.
double computed() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::string name(std::size_t i) { return fmt::format("s{}", i); }

std::vector<FlowDraft::Step> chain(std::size_t length, const std::string& kind = "single") {
  std::vector<FlowDraft::Step> steps = {of_kind(kind, name(0))};
  for (std::size_t i = 1; i < length; ++i) steps.push_back(of_kind(kind, name(i), {name(i - 1)}));
  return steps;
}

JournalRow lost_cause(TaskId task) {
  return {.task = task, .outcome = Outcome::failed_for_good, .error = "no"};
}

// As a worker leads a run: after each row it asks for everything.
void lead(DrivenRun& run, const Json& output) {
  bool as_expected = true;
  std::vector<ReadyTask> ready = run.ready_tasks();
  while (!ready.empty()) {
    std::vector<ReadyTask> next;
    for (const auto& [task, attempt, not_before] : ready) {
      JournalRow row = run.state.make_row(task, attempt, {.output = output});
      as_expected = as_expected && run.state.still_needed(task) &&
                    run.state.apply(row).has_value() && run.state.waits().empty() &&
                    run.state.take_skips().empty();
      run.state.take_step_ends();
      for (const ReadyTask& each : run.ready_tasks()) next.push_back(each);
      run.journal.push_back(std::move(row));
    }
    ready = std::move(next);
  }
  REQUIRE(as_expected);
}

void folds_again(const DrivenRun& run) {
  RunState again(run.definition, options_of(run.definition), 7, run.state.input(),
                 DrivenRun::begin);
  const bool folded = std::ranges::all_of(
      run.journal, [&](const JournalRow& row) { return again.apply(row).has_value(); });
  REQUIRE(folded);
  REQUIRE(again.end().has_value());
  CHECK(again.end()->output == run.state.end()->output);
}

void lead_map(std::size_t size) {
  std::vector<Json> elements;
  for (std::size_t i = 0; i < size; ++i) elements.push_back(Json::number(static_cast<int>(i)));
  DrivenRun run(
      flow({of_kind("map", "each"), of_kind("map", "again", {"each"}), step("sum", {"again"})}),
      Json::array(elements).text());
  lead(run, json("1"));
  REQUIRE(run.state.end().has_value());
  CHECK(run.input_of("sum").size() == 2 * size + 11);
  folds_again(run);
}

// Seconds. What is linear takes a fraction of a second below, what is quadratic minutes. A slow
// machine, or a sanitizer, is allowed five times what it takes for an eighth of the largest: were
// that quadratic, it would take 64 times as long.
double limit() {
  static const double seconds = [] {
    const double before = computed();
    lead_map(12'500);
    return std::max(5.0, 5 * 8 * (computed() - before));
  }();
  return seconds;
}

}  // namespace

TEST_SUITE("run: size") {
  TEST_CASE("P5: a chain of a thousand steps takes as long as its steps") {
    const double before = computed();
    DrivenRun run(flow(chain(1'000)));
    lead(run, json("1"));
    CHECK(run.end() == R"(completed {"s999":1})");
    folds_again(run);
    CHECK(computed() - before < limit());
  }

  TEST_CASE("P5: a chain of a thousand skipped steps ends at once") {
    const double before = computed();
    auto steps = chain(1'000);
    steps[0].only_if = json("1");
    for (std::size_t i = 1; i < steps.size(); ++i)
      steps[i].only_if = json(fmt::format(R"({{"s{}": 1}})", i - 1));
    DrivenRun run(flow(steps));
    CHECK(run.state.take_skips().size() == 1'000);
    CHECK(run.end() ==
          "completed null (no output: every final step was skipped: \"s999\" (condition_unmet))");
    CHECK(computed() - before < limit());
  }

  TEST_CASE("P5: a chain of a thousand steps is skipped by its first at once") {
    const double before = computed();
    auto steps = chain(1'000);
    steps[0].when_exhausted = "skip_cascade";
    DrivenRun run(flow(steps));
    run.fails_for_good("s0", "no");
    const auto skips = run.state.take_skips();
    REQUIRE(skips.size() == 1'000);
    CHECK(skips.back().error_code == "dependency_skipped");
    CHECK(run.state.end()->status == RunStatus::completed);
    CHECK(computed() - before < limit());
  }

  TEST_CASE("P5: a chain of a thousand maps over a skipped step ends at once") {
    auto steps = chain(1'000, "map");
    FlowDraft::Step root = step("root");
    root.when_exhausted = "skip";
    steps[0].depends_on = {"root"};
    steps.push_back(root);
    DrivenRun run(flow(steps));
    run.fails_for_good("root", "no");
    CHECK(run.end() == R"(completed {"s999":[]})");
  }

  TEST_CASE("P5: a chain of a thousand waits and child runs is led to its end") {
    std::vector<FlowDraft::Step> steps = chain(1'000, "wait");
    for (std::size_t i = 0; i < steps.size(); i += 2) {
      steps[i].kind = "flow";
      steps[i].flow = "child";
    }
    DrivenRun run(flow(steps));
    for (std::size_t i = 0; i < steps.size(); ++i) run.completes(name(i), "1");
    CHECK(run.end() == R"(completed {"s999":1})");
  }

  TEST_CASE("P7: a run of 1024 steps in one flow completes") {
    const double before = computed();
    std::vector<FlowDraft::Step> steps = {step("root")};
    std::vector<std::string> middle;
    for (std::size_t i = 0; i < FlowDefinition::steps_max - 2; ++i) {
      steps.push_back(step(name(i), {"root"}));
      middle.push_back(name(i));
    }
    steps.push_back(step("join", middle));
    DrivenRun run(flow(steps));
    lead(run, Json::string(std::string(1'000, 'x')));
    REQUIRE(run.state.end().has_value());
    CHECK(run.state.end()->status == RunStatus::completed);
    CHECK(run.input_of("join").size() > 1'000'000);
    folds_again(run);
    CHECK(computed() - before < limit());
  }

  TEST_CASE("P4: a map of 100000 elements takes as long as its elements") {
    const double before = computed();
    lead_map(100'000);
    CHECK(computed() - before < limit());
  }

  TEST_CASE("F5: a map of 100000 elements that all fail is skipped by the first") {
    FlowDraft::Step each = of_kind("map", "each");
    each.when_exhausted = "skip";
    std::vector<Json> elements(100'000);
    const double before = computed();
    DrivenRun run(flow({each, step("sum", {"each"})}), Json::array(elements).text());
    bool folded = true;
    for (std::size_t i = 0; i < elements.size(); ++i)
      folded = folded && run.state.apply(lost_cause({run.position("each"), i})).has_value();
    CHECK(folded);
    CHECK(run.skips() == "each:handler_failed");
    CHECK(run.ready() == "sum");
    CHECK(computed() - before < limit());
  }

  TEST_CASE("F6: a map of 100000 elements that all fail fails its run with the first") {
    std::vector<Json> elements(100'000);
    const double before = computed();
    DrivenRun run(flow({of_kind("map", "each")}), Json::array(elements).text());
    bool folded = true;
    for (std::size_t i = elements.size(); i > 0; --i)
      folded = folded && run.state.apply(lost_cause({0, i - 1})).has_value() &&
               run.state.end().has_value();
    CHECK(folded);
    CHECK(run.end() == "failed: step \"each\", element 0, failed for good: no");
    CHECK(computed() - before < limit());
  }
}
