#include <string>

#include <doctest/doctest.h>

#include <weir/testing/flow_runner.hpp>

using namespace std::chrono_literals;
using weir::testing::FlowRunner;

namespace {

constexpr std::string_view large = R"({"employee": "ada", "amount": 120, "purpose": "train"})";

FlowRunner runner() { return FlowRunner(weir_plugin_v1); }

}  // namespace

TEST_SUITE("plugins: expense_approval") {
  TEST_CASE("a small expense asks nobody and takes no time") {
    const auto run = runner().run(R"({"employee": "ada", "amount": 12, "purpose": "pens"})");
    CHECK(run.output() == R"({"decide":{"granted":true,"by":"petty cash"}})");
    CHECK(run.elapsed() == 0s);
  }

  TEST_CASE("C4: the manager's answer decides and nobody else is asked") {
    auto flow = runner();
    flow.signal("manager", R"({"by": "grace", "granted": false})", 5h);
    const auto run = flow.run(large);
    CHECK(run.output() == R"({"decide":{"granted":false,"by":"grace"}})");
    CHECK(run.attempts("escalate").empty());
    CHECK(run.elapsed() == 5h);
  }

  TEST_CASE("F7: when the manager is silent the director is asked") {
    auto flow = runner();
    flow.signal("director", R"({"by": "edsger", "granted": true})", 50h);
    const auto run = flow.run(large);
    CHECK(run.output() == R"({"decide":{"granted":true,"by":"edsger"}})");
    CHECK(run.attempts("escalate").size() == 1);
  }

  TEST_CASE("when nobody answers the answer is no") {
    const auto run = runner().run(large);
    CHECK(run.output() == R"({"decide":{"granted":false,"by":"nobody: no answer in time"}})");
    CHECK(run.elapsed() == 96h);
  }
}
