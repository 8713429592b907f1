// What docs/plugins.md shows, taken from the page as it stands, does what the page says.
#include "plugins_page.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace {
struct ClaimPlugin {
  static constexpr std::string_view name = "claim";
  static constexpr std::string_view version = "";
};
using ClaimParts =
    weir::sdk::Plugin<ClaimPlugin, weir_flow_claim, weir_flow_claim_payment, weir_flow_booking>;
}  // namespace

TEST_SUITE("docs: plugins") {
  TEST_CASE("the test on the page takes three attempts and completes") {
    const auto run = tested();
    CHECK(run.output() == R"({"sum":7})");
    CHECK(run.attempts("fetch").size() == 3);
    CHECK(run.attempts("sum").size() == 1);
  }

  TEST_CASE("the flow on the page does without the stand-in") {
    weir::testing::FlowRunner flow(weir_plugin_v1, "order_sum");
    CHECK(flow.run(R"({"id": 1, "prices": [3, 4]})").output() == R"({"sum":7})");
    CHECK(flow.run(R"({"id": 1, "prices": []})").attempts("fetch").at(0).error_code ==
          "empty_order");
  }

  TEST_CASE("D4: the claim on the page waits for its approval and pays in a run of its own") {
    static constinit const auto note = ClaimParts::note();
    static constinit const weir_plugin plugin = ClaimParts::symbol(note);
    auto run = granted(weir::testing::FlowRunner(plugin, "claim"));
    CHECK(run.output() == R"({"pay":{"transfer":null}})");
    CHECK(run.elapsed() == std::chrono::hours(5));
    weir::testing::FlowRunner flow(plugin, "claim");
    run = flow.run(R"({"amount": 500})");
    CHECK(run.elapsed() == std::chrono::hours(72));
    CHECK(run.skipped("pay") == "condition_unmet");
    run = flow.run(R"({"amount": 5})");
    CHECK(run.skipped("approval") == "condition_unmet");
    CHECK(run.children().size() == 1);
  }

  TEST_CASE("C9: the step on the page that is lost after its commit is not run again") {
    static constinit const auto note = ClaimParts::note();
    static constinit const weir_plugin plugin = ClaimParts::symbol(note);
    CHECK(booked_once(weir::testing::FlowRunner(plugin, "booking")) == 100);
  }
}
