#include "definition/flow_diff.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "unit/definition/compatibility_cases.hpp"
#include "unit/definition/drafts.hpp"

namespace weir {
namespace {

FlowDraft shop() {
  return {.module = "shop.Order",
          .slug = "order",
          .steps = {{.slug = "fetch"},
                    {.slug = "price", .kind = "map", .depends_on = {"fetch"}},
                    {.slug = "sum", .depends_on = {"price"}}}};
}

FlowDiff one_diff(const FlowDraft& before, const FlowDraft& after) {
  const std::vector<FlowDefinition> old = {built(before)};
  const std::vector<FlowDefinition> now = {built(after)};
  const std::vector<FlowDiff> found = diff(old, now);
  REQUIRE(found.size() == 1);
  return found.front();
}

}  // namespace

TEST_SUITE("definition: what changed in a flow") {
  TEST_CASE("D7: the same definition in another order of steps is the same version") {
    FlowDraft turned = shop();
    std::swap(turned.steps[0], turned.steps[2]);
    const FlowDiff found = one_diff(shop(), turned);
    CHECK(found.status == FlowDiff::Status::same);
    CHECK(found.same_version);
    CHECK(found.compatible);
  }

  TEST_CASE("V3: options may differ") {
    FlowDraft patient = shop();
    patient.steps[0].options.timeout_ms = 5'000;
    const FlowDiff found = one_diff(shop(), patient);
    CHECK(found.status == FlowDiff::Status::changed);
    CHECK_FALSE(found.same_version);
    CHECK(found.compatible);
    REQUIRE(found.steps.size() == 1);
    REQUIRE(found.steps[0].changes.size() == 1);
    CHECK(found.steps[0].changes[0].what == "timeout_ms");
    CHECK(found.steps[0].changes[0].before == "60000");
    CHECK(found.steps[0].changes[0].after == "5000");
  }

  TEST_CASE("V3: what is compatible here is what the stores adopt") {
    for (const CompatibilityCase& each : compatibility_cases()) {
      CAPTURE(each.difference);
      const FlowDiff found = one_diff(each.before, each.after);
      CHECK(found.compatible == each.difference.empty());
      if (found.compatible || each.what.empty()) continue;
      REQUIRE(found.steps.size() == 1);
      CHECK(found.steps[0].changes.at(0).what == each.what);
    }
  }

  TEST_CASE("V3: another step or kind or dependency is not compatible") {
    FlowDraft more = shop();
    more.steps.push_back({.slug = "mail", .depends_on = {"sum"}});
    FlowDiff found = one_diff(shop(), more);
    CHECK_FALSE(found.compatible);
    REQUIRE(found.steps.size() == 1);
    CHECK(found.steps[0].status == StepDiff::Status::added);
    found = one_diff(more, shop());
    CHECK_FALSE(found.compatible);
    CHECK(found.steps.at(0).status == StepDiff::Status::removed);

    FlowDraft other = shop();
    other.steps[1].kind = "single";
    found = one_diff(shop(), other);
    CHECK_FALSE(found.compatible);
    CHECK(found.steps.at(0).changes.at(0).what == "kind");
    other = shop();
    other.steps[2].depends_on = {"fetch", "price"};
    found = one_diff(shop(), other);
    CHECK_FALSE(found.compatible);
    CHECK(found.steps.at(0).changes.at(0).before == "[price]");
    CHECK(found.steps.at(0).changes.at(0).after == "[fetch, price]");
  }

  TEST_CASE("the module and the input schema are no part of the version") {
    FlowDraft renamed = shop();
    renamed.module = "store.Order";
    renamed.input_schema = Json::parse(R"({"type":"object"})").value();
    const FlowDiff found = one_diff(shop(), renamed);
    CHECK(found.status == FlowDiff::Status::changed);
    CHECK(found.same_version);
    CHECK(found.compatible);
    REQUIRE(found.changes.size() == 2);
    CHECK(found.changes[1].before == "none");
  }

  TEST_CASE("a flow that is gone is not compatible and a new one is") {
    FlowDraft other = shop();
    other.slug = "mail";
    other.module = "shop.Mail";
    const std::vector<FlowDefinition> old = {built(shop())};
    const std::vector<FlowDefinition> now = {built(other)};
    const auto found = diff(old, now);
    REQUIRE(found.size() == 2);
    CHECK(found[0].status == FlowDiff::Status::removed);
    CHECK_FALSE(found[0].compatible);
    CHECK(found[1].status == FlowDiff::Status::added);
    CHECK(found[1].compatible);
  }
}

}  // namespace weir
