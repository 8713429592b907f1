#include <limits>

#include <doctest/doctest.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;
using namespace std::chrono_literals;

namespace {

FlowDraft tried(std::int64_t max_attempts) {
  FlowDraft draft = flow({step("a"), step("b", {"a"})});
  draft.options.max_attempts = max_attempts;
  draft.options.base_delay_ms = 0;
  return draft;
}

}  // namespace

TEST_SUITE("run: failure") {
  TEST_CASE("P6: a single that feeds a map and returns no array fails the run at once") {
    DrivenRun run(flow({step("s"), of_kind("map", "m", {"s"})}));
    run.ready();
    const JournalRow row = run.ends("s", 0, {.output = json(R"({"a": 1})")});
    CHECK(row.outcome == Outcome::failed_for_good);
    CHECK(row.error_code == "type_violation");
    CHECK(row.output == json(R"({"a": 1})"));
    CHECK(row.error == R"(step "m" maps over the output of "s", which is an object, not an array)");
    CHECK(run.end() ==
          R"(failed: step "m" maps over the output of "s", which is an object, not an array)");
    CHECK(run.ready() == "");
  }

  TEST_CASE("P6: the message tells the type that was met") {
    const std::pair<const char*, const char*> types[] = {
        {"null", "null"}, {"true", "a boolean"}, {"1.5", "a number"}, {R"("[]")", "a string"}};
    for (const auto& [output, type_name] : types) {
      DrivenRun run(flow({step("s"), of_kind("map", "m", {"s"})}));
      CHECK(run.ends("s", 0, {.output = json(output)}).error ==
            std::string("step \"m\" maps over the output of \"s\", which is ") + type_name +
                ", not an array");
    }
  }

  TEST_CASE("P6: only singles that feed a map must return arrays") {
    DrivenRun run(flow(
        {step("s"), step("t", {"s"}), of_kind("map", "m", {"t"}), of_kind("map", "n", {"m"})}));
    run.completes("s", "1");
    run.completes("t", "[1]");
    run.completes("m", "2");
    run.completes("n", "3");
    CHECK(run.end() == R"(completed {"n":[3]})");
  }

  TEST_CASE("F1: a step is tried max_attempts times and its run fails with the last error") {
    DrivenRun run(tried(3));
    CHECK(run.ready() == "a");
    run.fails("a", "one");
    CHECK(run.ready() == "a#2");
    run.ends("a", 0, {.outcome = Outcome::timed_out, .error = "two"});
    CHECK(run.ready() == "a#3");
    CHECK(run.end() == "");
    run.fails("a", "three");
    CHECK(run.end() == "failed: step \"a\" failed after 3 attempts: three");
    CHECK(run.state.end()->failed_step == run.position("a"));
    CHECK(run.ready() == "");
  }

  TEST_CASE("F1: the message of a map's failure tells the element") {
    FlowDraft draft = flow({of_kind("map", "each")});
    draft.options.max_attempts = 1;
    DrivenRun run(draft, "[1,2]");
    run.fails("each", "boom", 1);
    CHECK(run.end() == "failed: step \"each\", element 1, failed after 1 attempt: boom");
  }

  TEST_CASE("F1: elements of a map have their attempts each for itself") {
    FlowDraft draft = flow({of_kind("map", "each")});
    draft.options.max_attempts = 2;
    DrivenRun run(draft, "[1,2]");
    run.ready();
    run.fails("each", "one", 0);
    run.fails("each", "one", 1);
    CHECK(run.ready() == "each[0]#2 each[1]#2");
    CHECK(run.end() == "");
  }

  TEST_CASE("F1: a lost attempt is not charged and is tried again without delay") {
    FlowDraft draft = tried(2);
    draft.options.base_delay_ms = 60'000;
    DrivenRun run(draft);
    run.ready();
    run.is_lost("a");
    const auto ready = run.ready_tasks();
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].attempt == 2);
    CHECK(ready[0].not_before == run.now);
    run.fails("a", "one");
    CHECK(run.end() == "");
    run.fails("a", "two");
    CHECK(run.end() == "failed: step \"a\" failed after 2 attempts: two");
  }

  TEST_CASE("F1: a task that is lost a fourth time fails its run") {
    DrivenRun run(tried(1'000));
    for (int lost = 0; lost < RunState::losses_max; ++lost) run.is_lost("a");
    CHECK(run.end() == "");
    run.is_lost("a");
    CHECK(run.end() == "failed: step \"a\" was lost with its worker 4 times");
    CHECK(run.state.end()->failed_step == run.position("a"));
  }

  TEST_CASE("F3: a failure for good is not tried again") {
    DrivenRun run(tried(1'000));
    run.ready();
    run.fails_for_good("a", "no such order");
    CHECK(run.end() == "failed: step \"a\" failed for good: no such order");
    CHECK(run.ready() == "");
  }

  TEST_CASE("F3: retry_after takes the place of the backoff") {
    DrivenRun run(tried(3));
    run.ready();
    run.now += 100s;
    run.ends("a", 0, {.outcome = Outcome::failed, .error = "busy", .retry_after = 42s});
    const auto ready = run.ready_tasks();
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].not_before == run.now + 42s);
  }

  TEST_CASE("F3: retry_after gives no attempt more than max_attempts") {
    DrivenRun run(tried(1));
    run.ends("a", 0, {.outcome = Outcome::failed, .error = "busy", .retry_after = 42s});
    CHECK(run.end() == "failed: step \"a\" failed after 1 attempt: busy");
  }

  TEST_CASE("F3: no retry_after waits for more than a year or less than no time") {
    using Limits = std::numeric_limits<std::chrono::milliseconds::rep>;
    DrivenRun run(tried(3));
    run.ready();
    run.ends("a", 0,
             {.outcome = Outcome::failed,
              .error = "busy",
              .retry_after = std::chrono::milliseconds(Limits::max())});
    CHECK(run.ready_tasks().at(0).not_before == run.now + std::chrono::days(365));
    run.ends("a", 0,
             {.outcome = Outcome::failed,
              .error = "busy",
              .retry_after = std::chrono::milliseconds(Limits::min())});
    CHECK(run.ready_tasks().at(0).not_before == run.now);
  }
}
