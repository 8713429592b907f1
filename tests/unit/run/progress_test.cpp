#include <algorithm>
#include <ctime>
#include <random>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

using namespace weir;

TEST_SUITE("run: progress") {
  TEST_CASE("P2: a root single is given the run's input") {
    DrivenRun run(flow({step("a")}), R"({"order_id": 123})");
    CHECK(run.input_of("a") == R"({"order_id": 123})");
  }

  TEST_CASE("P2: a dependent single is given its dependencies alone, by slug") {
    DrivenRun run(
        flow({step("zeta"), step("alpha"), step("other"), step("join", {"zeta", "alpha"})}),
        R"({"from": "the run"})");
    run.completes("zeta", "null");
    run.completes("other", "3");
    run.completes("alpha", R"({"x": 1})");
    CHECK(run.input_of("join") == R"({"alpha":{"x": 1},"zeta":null})");
  }

  TEST_CASE("P2: what follows a map is given the array of all its outputs") {
    DrivenRun run(flow({of_kind("map", "each"), step("sum", {"each"})}), "[1,2]");
    run.completes("each", "10", 0);
    run.completes("each", "null", 1);
    CHECK(run.input_of("sum") == R"({"each":[10,null]})");
  }

  TEST_CASE("P2: a map's task is given its element alone") {
    DrivenRun run(flow({of_kind("map", "each")}), R"([1, {"two": 2}, null])");
    CHECK(run.input_of("each", 0) == "1");
    CHECK(run.input_of("each", 1) == R"({"two": 2})");
    CHECK(run.input_of("each", 2) == "null");
  }

  TEST_CASE("P3: a root map has one task for each element of the input") {
    DrivenRun run(flow({of_kind("map", "each")}), "[[], [1,2], 3]");
    CHECK(run.ready() == "each[0] each[1] each[2]");
  }

  TEST_CASE("P3: a map on a single has one task for each element of its output") {
    DrivenRun run(flow({step("list"), of_kind("map", "each", {"list"})}));
    CHECK(run.ready() == "list");
    run.completes("list", "[7,8]");
    CHECK(run.ready() == "each[0] each[1]");
    CHECK(run.input_of("each", 1) == "8");
  }

  TEST_CASE("P3: a map on a map has as many tasks, each over the parent's output of its index") {
    DrivenRun run(flow({of_kind("map", "parse"), of_kind("map", "store", {"parse"})}), "[1,2]");
    run.ready();
    run.completes("parse", R"("one")", 0);
    run.completes("parse", "[2,2,2]", 1);
    CHECK(run.ready() == "store[0] store[1]");
    CHECK(run.input_of("store", 0) == R"("one")");
    CHECK(run.input_of("store", 1) == "[2,2,2]");
  }

  TEST_CASE("P4: a map's output stands in index order whatever the order of finishing") {
    std::mt19937 random(4);
    DrivenRun run(flow({of_kind("map", "each"), step("sum", {"each"})}), "[0,1,2,3,4,5,6,7,8,9]");
    std::vector<std::size_t> order = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    std::ranges::shuffle(order, random);
    for (const std::size_t index : order)
      run.completes("each", index == 3 ? "null" : fmt::format("{}", index * 10), index);
    CHECK(run.input_of("sum") == R"({"each":[0,10,20,null,40,50,60,70,80,90]})");
  }

  TEST_CASE("P5: a map over nothing completes at once and what follows it is ready") {
    DrivenRun run(flow({step("list"), of_kind("map", "each", {"list"}), step("sum", {"each"})}));
    run.ready();
    run.completes("list", "[]");
    CHECK(run.ready() == "sum");
    CHECK(run.input_of("sum") == R"({"each":[]})");
  }

  TEST_CASE("P5: an empty map does not wait for its start delay") {
    FlowDraft draft = flow({of_kind("map", "each")});
    draft.steps[0].options.start_delay_ms = 60'000;
    CHECK(DrivenRun(draft, "[]").end() == R"(completed {"each":[]})");
  }

  TEST_CASE("P5: a chain of a thousand empty maps ends at once") {
    std::vector<FlowDraft::Step> steps = {of_kind("map", "m0")};
    for (int i = 1; i < 1'000; ++i)
      steps.push_back(of_kind("map", fmt::format("m{}", i), {fmt::format("m{}", i - 1)}));
    const FlowDefinition definition = built(flow(steps));
    const auto options = options_of(definition);
    const std::clock_t before = std::clock();  // of the processor: the machine may stand still
    const RunState state(definition, options, 7, json("[]"), {});
    CHECK(std::clock() - before < CLOCKS_PER_SEC / 2);
    REQUIRE(state.end().has_value());
    CHECK(state.end()->output.text() == R"({"m999":[]})");
  }

  TEST_CASE("P8: values pass unchanged from input to output") {
    const std::string value =
        R"([false, 0, "", null, 9223372036854775807, -9223372036854775808, 18446744073709551615, )"
        R"(0.30000000000000004, 1.7976931348623157e308, 5e-324, "ü 漢 🌊 \u00e9\n", {"b": {}, "a": []}])";
    DrivenRun run(flow({step("a"), step("b", {"a"})}), value);
    CHECK(run.input_of("a") == value);
    run.completes("a", run.input_of("a"));
    CHECK(run.input_of("b") == R"({"a":)" + value + "}");
    run.completes("b", value);
    CHECK(run.end() == R"(completed {"b":)" + value + "}");
  }
}
