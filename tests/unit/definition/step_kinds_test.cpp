#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "drafts.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

FlowDraft::Step wait(std::string slug, std::vector<std::string> depends_on = {},
                     OptionOverrides options = {}) {
  FlowDraft::Step made = of_kind("wait", std::move(slug), std::move(depends_on));
  made.options = options;
  return made;
}

FlowDraft::Step starting(std::string child, std::string slug,
                         std::vector<std::string> depends_on = {}) {
  FlowDraft::Step made = of_kind("flow", std::move(slug), std::move(depends_on));
  made.flow = std::move(child);
  return made;
}

}  // namespace

TEST_SUITE("definition: wait and flow steps") {
  TEST_CASE("D4: a wait has a signal of its own name or of the one it is given") {
    FlowDraft draft = flow({wait("approval"), wait("payment")});
    draft.steps[1].signal = "order.paid";
    const FlowDefinition definition = built(draft);
    CHECK(definition.steps()[0].kind == StepKind::wait);
    CHECK(definition.steps()[0].signal == "approval");
    CHECK(definition.steps()[1].signal == "order.paid");
    CHECK_FALSE(definition.steps()[0].child);
  }

  TEST_CASE("D4: a flow step names the flow it starts") {
    const FlowDefinition definition =
        built(flow({step("prepare"), starting("charge_card", "charge", {"prepare"})}));
    CHECK(definition.steps()[1].kind == StepKind::flow);
    CHECK(definition.steps()[1].child->view() == "charge_card");
    CHECK(definition.steps()[1].signal.empty());
  }

  TEST_CASE("D4: a flow's timeout is none of its waits' and a wait's own is") {
    FlowDraft draft = flow({step("a"), wait("b"), wait("c", {}, {.timeout_ms = 7'000})});
    draft.options.timeout_ms = 5;
    const FlowDefinition definition = built(draft);
    CHECK(definition.steps()[0].options.timeout == 5ms);
    CHECK(definition.steps()[1].options.timeout == StepOptions{}.timeout);
    CHECK(definition.steps()[2].options.timeout == 7s);
  }

  TEST_CASE("D4: what the operator sets for a whole flow leaves its waits' timeout alone") {
    const StepOptions options;
    FlowOverrides overrides{.all = {.max_attempts = 9, .timeout_ms = 5}};
    CHECK(overridden(options, StepKind::single, "a", overrides).timeout == 5ms);
    CHECK(overridden(options, StepKind::wait, "a", overrides).timeout == options.timeout);
    overrides.steps["a"].timeout_ms = 8;
    CHECK(overridden(options, StepKind::wait, "a", overrides).timeout == 8ms);
    CHECK(overridden(options, StepKind::single, "a", overrides).timeout == 8ms);
    CHECK(overridden(options, StepKind::single, "a", overrides).max_attempts == 9);
    CHECK(overridden(options, StepKind::single, "b", overrides).timeout == 5ms);
  }

  TEST_CASE("D5: a signal on what is no wait is refused") {
    FlowDraft draft = flow({step("a")});
    draft.steps[0].signal = "paid";
    CHECK(build_faults(draft) ==
          "misplaced_option: step \"a\" of flow \"totals\" has the signal \"paid\", but is not a "
          "wait "
          "(only a step of the kind \"wait\" ends with a signal)\n");
  }

  TEST_CASE("D5: a signal that is no name is refused") {
    for (const std::string& signal : {std::string(), std::string("a b"), std::string(129, 'x')}) {
      FlowDraft draft = flow({wait("a")});
      draft.steps[0].signal = signal;
      CHECK(build_faults(draft).starts_with(
          "bad_signal: step \"a\" of flow \"totals\" waits for the signal "));
    }
  }

  TEST_CASE("D5: two waits of a flow for one signal are refused") {
    FlowDraft draft = flow({wait("approval"), wait("again")});
    draft.steps[1].signal = "Approval";
    CHECK(build_faults(draft) ==
          "duplicate_signal: steps \"approval\" and \"again\" of flow \"totals\" both wait for the "
          "signal \"Approval\" (a signal ends one wait: give each its own; names that differ in "
          "case alone count as the same)\n");
  }

  TEST_CASE("D5: two waits of the same name are told once") {
    CHECK(build_faults(flow({wait("a"), wait("A")})).find("duplicate_signal") == std::string::npos);
  }

  TEST_CASE("D5: a flow step without a flow and a flow on another step are refused") {
    CHECK(build_faults(flow({of_kind("flow", "charge")})) ==
          "missing_flow: step \"charge\" of flow \"totals\" does not say which flow it starts "
          "(\"flow\": the slug of that flow)\n");
    FlowDraft draft = flow({step("charge")});
    draft.steps[0].flow = "charge_card";
    CHECK(build_faults(draft) ==
          "misplaced_option: step \"charge\" of flow \"totals\" names the flow \"charge_card\", "
          "but is of the kind \"single\" (only a step of the kind \"flow\" starts another flow)\n");
  }

  TEST_CASE("D5: a child flow of a name that is none is refused") {
    CHECK(build_faults(flow({starting("charge card", "charge")})) ==
          "bad_slug: step \"charge\" of flow \"totals\": its flow: slug \"charge card\" has "
          "characters a slug may not have (letters, digits and _ only, not beginning with a "
          "digit)\n");
  }

  TEST_CASE("D5: a flow step with more than one dependency is refused") {
    CHECK(build_faults(flow({step("a"), step("b"), starting("child", "c", {"a", "b"})})) ==
          "flow_dependencies: step \"c\" of flow \"totals\" starts a flow and has 2 dependencies: "
          "\"a\", \"b\" (it has at most one, whose output is the input of the run it starts: let a "
          "single step join them)\n");
  }

  TEST_CASE("D5: a flow that starts itself without end is refused") {
    FlowDraft draft = flow({starting("Totals", "again")});
    CHECK(build_faults(draft) ==
          "endless_flow: step \"again\" of flow \"totals\" starts its own flow again, without end "
          "(give the step a condition that ends it: only_if or unless)\n");
    draft.steps[0].unless = Json::parse(R"({"depth":0})").value();
    CHECK(build_faults(draft) == "");
  }

  TEST_CASE("D5: a map over a wait is refused and a map over a flow step is not") {
    CHECK(build_faults(flow({wait("approval"), of_kind("map", "each", {"approval"})})) ==
          "map_over_wait: step \"each\" of flow \"totals\" maps over \"approval\", a wait, whose "
          "output is an object and not an array (let a single step take the array out of its "
          "payload)\n");
    CHECK(build_faults(flow({starting("list", "child"), of_kind("map", "each", {"child"})})) == "");
  }

  TEST_CASE("D3: options that mean nothing to a wait or a flow step are refused") {
    const FlowDraft draft = flow({wait("a", {}, {.max_attempts = 2}), starting("child", "b")});
    CHECK(build_faults(draft) ==
          "misplaced_option: step \"a\" of flow \"totals\" sets max_attempts, which does not apply "
          "to a step of the kind \"wait\" (a wait is never retried: its timeout_ms is how long "
          "it waits)\n");
    FlowDraft timed = flow({starting("child", "b")});
    timed.steps[0].options = {.timeout_ms = 5, .start_delay_ms = 5};
    CHECK(build_faults(timed) ==
          "misplaced_option: step \"b\" of flow \"totals\" sets timeout_ms, which does not apply "
          "to a step of the kind \"flow\" (the run it starts uses the options of its own flow)\n");
    CHECK(build_faults(flow({wait("a", {}, {.timeout_ms = 5, .start_delay_ms = 5})})) == "");
  }

  TEST_CASE("F5: when_exhausted on a wait is refused since a wait never fails") {
    FlowDraft draft = flow({wait("a")});
    draft.steps[0].when_exhausted = "skip";
    CHECK(build_faults(draft) ==
          "misplaced_option: step \"a\" of flow \"totals\" sets when_exhausted, but a wait never "
          "fails (when its time is over it completes with {\"signalled\": false}: test for that in "
          "the conditions of the steps after it)\n");
  }
}

}  // namespace weir
