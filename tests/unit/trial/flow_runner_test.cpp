#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/flow.hpp>
#include <weir/testing/flow_runner.hpp>

#include "unit/trial/refusal.hpp"

using namespace std::chrono_literals;
using weir::testing::FinishedRun;
using weir::testing::FlowRunner;
using weir::testing::refusal;

namespace {

int fetches = 0;
int opened = 0;

struct Order {
  int id;
};
WEIR_JSON(Order, id)

struct Priced {
  std::vector<int> price;
};
WEIR_JSON(Priced, price)

struct Clone {
  explicit Clone(int) { ++opened; }
};

std::vector<std::string> fetch(weir::Context& context, Order order) {
  ++fetches;
  context.info("fetching " + std::to_string(order.id));
  if (order.id == 0) throw weir::permanent("no_order", "there is no order 0");
  return {"a", "bb"};
}
int price(weir::Context& context, std::string sku) {
  (void)context.resource<Clone>("clone", [] { return Clone(1); });
  return static_cast<int>(sku.size());
}
int sum(weir::Context& context, Priced priced) {
  CHECK(context.flow_input<Order>().id == 7);
  CHECK(context.flow() == "order_totals");
  int total = 0;
  for (const int each : priced.price) total += each;
  return total;
}

// Asks until it may stop.
void patient(weir::Context& context) {
  while (!context.cancelled()) std::this_thread::sleep_for(1ms);
  context.check();
}
std::string large(weir::Context&) { return std::string(100, 'x'); }
void later(weir::Context& context) {
  if (context.attempt() == 1) throw weir::retry_after(90s, "not yet");
}

}  // namespace

WEIR_FLOW(order_totals, "shop.OrderTotals",
          step<fetch>("fetch").max_attempts(3).base_delay(1s).start_delay(10min),
          map<price>("price").over("fetch"), step<sum>("sum").after("price"))
WEIR_FLOW(limits, "shop.Limits", step<patient>("patient").timeout(30min).max_attempts(2),
          step<later>("later").after("patient"))
WEIR_FLOW(outputs, "shop.Outputs", step<large>("large").max_output(50))
WEIR_PLUGIN(order_totals, limits, outputs)

namespace {

FlowRunner runner() { return FlowRunner(weir_plugin_v1, "order_totals"); }

}  // namespace

TEST_SUITE("trial: flow runner") {
  TEST_CASE("P2: P4: a run is led from its input to its output") {
    const FinishedRun run = runner().run(R"({"id": 7})");
    CHECK(run.completed());
    CHECK(run.output() == R"({"sum":3})");
    CHECK(run.error() == "");
    REQUIRE(run.attempts().size() == 4);
    CHECK(run.attempts("price")[1].index == 1);
    CHECK(run.attempts("price")[1].input == R"("bb")");
    CHECK(run.attempts("price")[1].output == "2");
    CHECK(run.attempts("price")[1].outcome == "completed");
    CHECK(run.attempts("sum")[0].input == R"({"price":[1,2]})");
  }

  TEST_CASE("F2: backoff and start delays pass at once and are counted") {
    FlowRunner flow = runner();
    flow.fail("fetch", "no answer", 2);
    const int before = fetches;
    const auto began = std::chrono::steady_clock::now();
    const FinishedRun run = flow.run(R"({"id": 7})");
    CHECK(std::chrono::steady_clock::now() - began < 5s);
    CHECK(run.completed());
    CHECK(fetches == before + 1);
    const auto tries = run.attempts("fetch");
    REQUIRE(tries.size() == 3);
    CHECK(tries[0].waited == 10min);
    CHECK(tries[0].outcome == "failed");
    CHECK(tries[0].error == "no answer");
    CHECK(tries[1].waited >= 2s);
    CHECK(tries[1].waited <= 2200ms);
    CHECK(tries[2].waited >= 4s);
    CHECK(tries[2].waited <= 4400ms);
    CHECK(run.elapsed() == tries[0].waited + tries[1].waited + tries[2].waited);
    flow.fail("fetch", "no answer", 2);
    CHECK(flow.run(R"({"id": 7})").elapsed() == run.elapsed());
  }

  TEST_CASE("a run fails when the attempts are used up") {
    FlowRunner flow = runner();
    flow.fail("fetch", "no answer", 3);
    const FinishedRun run = flow.run(R"({"id": 7})");
    CHECK(run.status() == "failed");
    CHECK(run.output() == "");
    CHECK(run.error() == "step \"fetch\" failed after 3 attempts: no answer");
    flow.max_attempts("fetch", 4);
    flow.fail("fetch", "no answer", 3);
    CHECK(flow.run(R"({"id": 7})").completed());
    flow.fail_for_good("price", "no such sku");
    CHECK(flow.run(R"({"id": 7})").error() ==
          "step \"price\", element 0, failed for good: no such sku");
  }

  TEST_CASE("F3: what a handler throws counts as it does in a worker") {
    FinishedRun run = runner().run(R"({"id": 0})");
    CHECK(run.error() == "step \"fetch\" failed for good: there is no order 0");
    CHECK(run.attempts("fetch").at(0).error_code == "no_order");
    FlowRunner limits(weir_plugin_v1, "limits");
    limits.mock("patient", [](std::string_view) { return "null"; });
    run = limits.run();
    CHECK(run.completed());
    CHECK(run.attempts("later").at(1).waited == 90s);
  }

  TEST_CASE("F3: output above max_output is refused") {
    const FinishedRun run = FlowRunner(weir_plugin_v1, "outputs").run();
    CHECK(run.attempts("large").at(0).error_code == "output_too_large");
  }

  TEST_CASE("F4: a timeout can pass at once or be made short") {
    FlowRunner flow(weir_plugin_v1, "limits");
    flow.time_out("patient");
    flow.timeout("patient", 20ms);
    const FinishedRun run = flow.run();
    const auto tries = run.attempts("patient");
    REQUIRE(tries.size() == 2);
    CHECK(tries[0].outcome == "timed_out");
    CHECK(tries[0].error == "no result within 20 ms");
    CHECK(tries[1].outcome == "timed_out");
    CHECK(run.elapsed() == 40ms + tries[1].waited);
    CHECK_FALSE(run.completed());
  }

  TEST_CASE("F1: what a lost attempt did in the world is done again") {
    FlowRunner flow = runner();
    flow.lose("fetch");
    const int before = fetches;
    const FinishedRun run = flow.run(R"({"id": 7})");
    CHECK(run.completed());
    CHECK(fetches == before + 2);
    CHECK(run.attempts("fetch").at(0).outcome == "lost");
    CHECK(run.attempts("fetch").at(1).waited == 0s);
  }

  TEST_CASE("a stand-in is given the input and its exceptions count") {
    FlowRunner flow = runner();
    int calls = 0;
    flow.mock("price", [&](std::string_view input) -> std::string {
      if (++calls == 1) throw std::runtime_error("busy");
      return input == R"("a")" ? "10" : "20";
    });
    const FinishedRun run = flow.run(R"({"id": 7})");
    CHECK(run.output() == R"({"sum":30})");
    CHECK(run.attempts("price").at(0).error == "busy");
    flow.mock("price", [](std::string_view) { return "{"; });
    CHECK(flow.run(R"({"id": 7})").attempts("price").at(0).error_code == "bad_output");
    flow.mock<price>("price");
    CHECK(flow.run(R"({"id": 7})").output() == R"({"sum":3})");
  }

  TEST_CASE("P6: a stand-in that feeds a map has to return an array") {
    FlowRunner flow = runner();
    flow.mock("fetch", [](std::string_view) { return "{}"; });
    CHECK(flow.run(R"({"id": 7})").error() ==
          "step \"price\" maps over the output of \"fetch\", which is an object, not an array");
  }

  TEST_CASE("what handlers log is kept with its step and attempt") {
    FlowRunner flow = runner();
    flow.lose("fetch");
    const FinishedRun run = flow.run(R"({"id": 7})");
    REQUIRE(run.logs().size() == 2);
    CHECK(run.logs()[1].level == "info");
    CHECK(run.logs()[1].message == "fetching 7");
    CHECK(run.logs()[1].step == "fetch");
    CHECK(run.logs()[1].attempt == 2);
  }

  TEST_CASE("resources last as long as the runner") {
    FlowRunner flow = runner();
    const int before = opened;
    flow.run(R"({"id": 7})");
    flow.run(R"({"id": 7})");
    CHECK(opened == before + 1);
    runner().run(R"({"id": 7})");
    CHECK(opened == before + 2);
  }

  TEST_CASE("unknown names are refused with the nearest") {
    CHECK(refusal([] { FlowRunner(weir_plugin_v1, "order_total"); }) ==
          "the plugin has no flow \"order_total\" (did you mean \"order_totals\"?)");
    CHECK(refusal([] { FlowRunner{weir_plugin_v1}; }) ==
          "the plugin has 3 flows, and none was named (it has order_totals, limits, outputs)");
    FlowRunner flow = runner();
    CHECK(refusal([&] { flow.fail("prise", ""); }) ==
          "flow \"order_totals\" has no step \"prise\"; did you mean \"price\"?");
    CHECK(refusal([&] { (void)flow.run(R"({"id": 7})").attempts("x"); }) ==
          "flow \"order_totals\" has no step \"x\"; it has fetch, price, sum");
    CHECK(FlowRunner(weir_plugin_v1, "shop.Limits").flow() == "limits");
  }

  TEST_CASE("S3: an input that a run could not be started with is refused") {
    FlowRunner flow = runner();
    CHECK(refusal([&] { flow.run("{"); }).starts_with("the run's input is "));
    CHECK(refusal([&] { flow.run(R"({"id": "x"})"); }).contains("/id"));
    CHECK(refusal([&] { flow.max_attempts("fetch", 0); }) ==
          "max_attempts: expected 1 to 1000, got 0");
  }
}
