#include "config/idle_overrides.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "unit/definition/drafts.hpp"

using namespace weir;

namespace {

// "PLACE: what", a line each, for a flow "totals" of a step "sum" and a wait "ask".
std::string idle(std::string yaml) {
  const auto config = parse_config({"flows.yaml", std::move(yaml)}, "/srv");
  REQUIRE(config);
  FlowDraft::Step ask = of_kind("wait", "ask");
  ask.signal = "answer";
  const auto totals = FlowDefinition::build(flow({step("sum"), ask}));
  REQUIRE(totals);
  std::string text;
  for (const IdleOverride& each : idle_overrides(*config, {&*totals}))
    text += fmt::format("{}: {}\n", config->source->place(each.where), each.what);
  return text;
}

}  // namespace

TEST_SUITE("config: idle overrides") {
  TEST_CASE(
      "options of a flow or a step that is not there have no effect, and the nearest is named") {
    CHECK(
        idle("flows:\n  totls: {timeout: 1s}\n  totals:\n    steps:\n      smu: {timeout: 1s}\n") ==
        "flows.yaml:5:7: flow \"totals\" has no step \"smu\"; did you mean \"sum\"?\n"
        "flows.yaml:2:3: no flow \"totls\" in the plugin folders; did you mean \"totals\"?\n");
  }

  TEST_CASE("an option that means nothing to a step's kind has no effect") {
    CHECK(idle("flows:\n  totals:\n    steps:\n      ask: {max_attempts: 2, timeout: 1h}\n") ==
          "flows.yaml:4:7: step \"ask\" is a wait: its max_attempts has no effect\n");
  }

  TEST_CASE("options that have an effect are not reported") {
    CHECK(idle("flows:\n  totals:\n    timeout: 1s\n    steps:\n      sum: {timeout: 2s}\n") == "");
  }
}
