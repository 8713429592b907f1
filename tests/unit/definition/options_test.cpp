#include <limits>

#include <doctest/doctest.h>

#include "drafts.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

OptionOverrides with(const OptionRule& rule, std::int64_t value) {
  OptionOverrides options;
  options.*rule.member = value;
  return options;
}

}  // namespace

TEST_SUITE("definition: options") {
  TEST_CASE("D3: a flow that says nothing gets the defaults") {
    const auto built = FlowDefinition::build(flow({step("a")}));
    REQUIRE(built);
    const StepOptions& options = built->steps()[0].options;
    CHECK(options.max_attempts == 3);
    CHECK(options.base_delay == 1s);
    CHECK(options.max_delay == 1h);
    CHECK(options.timeout == 60s);
    CHECK(options.start_delay == 0s);
    CHECK(options.max_output_bytes == 16 * 1024 * 1024);
  }

  TEST_CASE("D3: a step's option goes before its flow's and the flow's before the default") {
    FlowDraft draft = flow({step("a"), step("b", {}, {.max_attempts = 9, .start_delay_ms = 250})});
    draft.options = {.max_attempts = 5, .timeout_ms = 1'500};
    const auto built = FlowDefinition::build(draft);
    REQUIRE(built);
    CHECK(built->steps()[0].options == StepOptions{.max_attempts = 5, .timeout = 1500ms});
    CHECK(built->steps()[1].options ==
          StepOptions{.max_attempts = 9, .timeout = 1500ms, .start_delay = 250ms});
  }

  TEST_CASE("D3: the ranges are those of the rule") {
    std::string ranges;
    for (const OptionRule& rule : option_rules)
      ranges += std::string(rule.name) + " " + rule.range() + "\n";
    CHECK(ranges ==
          "max_attempts 1 to 1000\n"
          "base_delay_ms 0 ms to 1 day\n"
          "max_delay_ms 0 ms to 365 days\n"
          "timeout_ms 1 ms to 30 days\n"
          "start_delay_ms 0 ms to 365 days\n"
          "max_output_bytes 1 byte to 256 MiB\n");
  }

  TEST_CASE("D3: every option is taken at both ends of its range and refused past them") {
    for (const OptionRule& rule : option_rules) {
      CAPTURE(rule.name);
      CHECK(build_faults(flow({step("a", {}, with(rule, rule.min))})) == "");
      CHECK(build_faults(flow({step("a", {}, with(rule, rule.max))})) == "");
      for (const std::int64_t value :
           {rule.min - 1, rule.max + 1, std::numeric_limits<std::int64_t>::min(),
            std::numeric_limits<std::int64_t>::max()})
        CHECK(build_faults(flow({step("a", {}, with(rule, value))})) ==
              "option_out_of_range: step \"a\" of flow \"totals\" sets " + std::string(rule.name) +
                  " to " + std::to_string(value) + ", which is not in the range of " +
                  rule.range() + "\n");
    }
  }

  TEST_CASE("D3: a flow's own option out of range is told once and not for every step") {
    FlowDraft draft = flow({step("a"), step("b")});
    draft.options.timeout_ms = 0;
    CHECK(build_faults(draft) ==
          "option_out_of_range: flow \"totals\" sets timeout_ms to 0, which is not in the range of "
          "1 ms to 30 days\n");
  }

  TEST_CASE("D3: a start_delay for a whole flow is refused") {
    FlowDraft draft = flow({step("a")});
    draft.options.start_delay_ms = 5;
    CHECK(build_faults(draft) ==
          "misplaced_option: flow \"totals\" sets start_delay_ms, which applies to steps only "
          "(move it into the steps that must start late)\n");
  }

  TEST_CASE("D3: a base_delay above max_delay is allowed") {
    CHECK(build_faults(flow({step("a", {}, {.base_delay_ms = 1'000, .max_delay_ms = 10})})) == "");
  }
}

}  // namespace weir
