#include <doctest/doctest.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;

namespace {

JournalRow completed(std::size_t step, std::size_t index, int attempt) {
  return {.task = {step, index}, .attempt = attempt, .output = json("1")};
}

JournalRow skipped(std::size_t step, std::string reason) {
  return {.task = {step, 0},
          .attempt = 0,
          .outcome = Outcome::skipped,
          .error_code = std::move(reason)};
}

// What is said of a row, and that the run goes on as if it had never come.
std::string refusal(DrivenRun& run, const JournalRow& row) {
  const auto folded = run.state.apply(row);
  if (folded) return "taken";
  CHECK(folded.error().code == ErrorCode::corrupt);
  CHECK(folded.error().kind == "impossible_journal_row");
  CHECK(folded.error().hint == "the journal does not fit the flow's definition");
  CHECK(run.end() == "");
  CHECK(run.ready() == "");
  return folded.error().message;
}

}  // namespace

TEST_SUITE("run: impossible rows") {
  TEST_CASE("a row of a step the flow does not have is refused") {
    DrivenRun run(flow({step("a")}));
    run.ready();
    CHECK(refusal(run, completed(1, 0, 1)) ==
          "run 7, step 1, task 0, attempt 1: the flow has no such step");
  }

  TEST_CASE("a row of a task the step does not have is refused") {
    DrivenRun run(flow({of_kind("map", "each")}), "[1,2]");
    run.ready();
    CHECK(refusal(run, completed(0, 2, 1)) ==
          "run 7, step 0, task 2, attempt 1: the step has no such task");
  }

  TEST_CASE("P1: a row of a step whose dependencies are open is refused") {
    DrivenRun run(flow({step("a"), step("b", {"a"})}));
    run.ready();
    CHECK(refusal(run, completed(1, 0, 1)) ==
          "run 7, step 1, task 0, attempt 1: the step has no such task");
  }

  TEST_CASE("L2: the same attempt twice is refused") {
    DrivenRun run(flow({step("a"), step("b")}));
    run.fails("a", "boom");
    run.ready();
    CHECK(refusal(run, completed(0, 0, 1)) ==
          "run 7, step 0, task 0, attempt 1: the attempt was journaled before");
  }

  TEST_CASE("L2: a further attempt of a completed task is refused") {
    DrivenRun run(flow({step("a"), step("b")}));
    run.completes("a", "1");
    run.ready();
    CHECK(refusal(run, completed(0, 0, 2)) ==
          "run 7, step 0, task 0, attempt 2: the task was completed before");
  }

  TEST_CASE("an attempt whose predecessor is missing is refused") {
    DrivenRun run(flow({step("a")}));
    run.ready();
    CHECK(refusal(run, completed(0, 0, 2)) ==
          "run 7, step 0, task 0, attempt 2: the attempt before it is missing");
  }

  TEST_CASE("a completed attempt without output is refused") {
    DrivenRun run(flow({step("a")}));
    run.ready();
    JournalRow row = completed(0, 0, 1);
    row.output.reset();
    CHECK(refusal(run, row) ==
          "run 7, step 0, task 0, attempt 1: a completed attempt without output");
  }

  TEST_CASE("P6: a completed attempt without the array that a map needs is refused") {
    DrivenRun run(flow({step("s"), of_kind("map", "m", {"s"})}));
    run.ready();
    CHECK(refusal(run, completed(0, 0, 1)) ==
          "run 7, step 0, task 0, attempt 1: a completed attempt without the array that is mapped "
          "over");
  }

  TEST_CASE("F8: a skip that names a task or an attempt or no reason is refused") {
    DrivenRun run(flow({step("a")}));
    run.ready();
    JournalRow row = skipped(0, "condition_unmet");
    row.attempt = 1;
    CHECK(refusal(run, row) ==
          "run 7, step 0, task 0, attempt 1: a skip that names a task or an attempt");
    CHECK(refusal(run, skipped(0, "bad_mood")) ==
          "run 7, step 0, task 0, attempt 0: a skip without a reason");
  }

  TEST_CASE("F8: a step is skipped once and not after it completed") {
    DrivenRun run(flow({step("a"), step("b"), step("c")}));
    run.completes("a", "1");
    run.ready();
    CHECK(refusal(run, skipped(0, "handler_failed")) ==
          "run 7, step 0, task 0, attempt 0: the step was completed before");
    REQUIRE(run.state.apply(skipped(1, "handler_failed")).has_value());
    CHECK(refusal(run, skipped(1, "handler_failed")) ==
          "run 7, step 1, task 0, attempt 0: the step was skipped before");
  }

  TEST_CASE("F5: rows of a skipped step count for nothing whatever they say") {
    DrivenRun run(flow({step("a"), step("b")}));
    run.ready();
    REQUIRE(run.state.apply(skipped(0, "handler_failed")).has_value());
    REQUIRE(run.state.apply(completed(0, 0, 1)).has_value());
    REQUIRE(run.state.apply(completed(0, 0, 1)).has_value());
    CHECK(run.ready() == "");
    run.completes("b", "2");
    CHECK(run.end() == R"(completed {"b":2})");
  }

  TEST_CASE("an attempt that no table could number is refused") {
    DrivenRun run(flow({step("a"), step("b")}));
    for (int attempt = 1; attempt <= 32'767; ++attempt) {
      JournalRow row = completed(0, 0, attempt);
      row.outcome = Outcome::cancelled;
      if (!run.state.apply(row)) FAIL("attempt " << attempt);
    }
    run.ready();
    CHECK(refusal(run, completed(0, 0, 32'768)) ==
          "run 7, step 0, task 0, attempt 32768: more attempts than a task can have");
  }

  TEST_CASE("a refused row leaves room for the right one") {
    DrivenRun run(flow({step("a")}));
    run.ready();
    refusal(run, completed(0, 0, 3));
    run.completes("a", "5");
    CHECK(run.end() == R"(completed {"a":5})");
  }
}
