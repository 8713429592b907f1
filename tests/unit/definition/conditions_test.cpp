#include <set>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "definition/flow_diff.hpp"
#include "definition/manifest.hpp"
#include "drafts.hpp"

namespace weir {
namespace {

Json json(std::string text) { return Json::parse(std::move(text)).value(); }

// A wait "ask", and "go" behind it under this condition.
FlowDraft after_wait(std::string only_if) {
  FlowDraft draft = flow({of_kind("wait", "ask"), step("go", {"ask"})});
  draft.steps[1].only_if = json(std::move(only_if));
  return draft;
}

std::string pattern_faults(std::string only_if) {
  return build_faults(after_wait(std::move(only_if)));
}

}  // namespace

TEST_SUITE("definition: conditions") {
  TEST_CASE("F7: a step that says nothing has no condition and the usual fallbacks") {
    const StepConditions conditions = built(flow({step("a")})).steps()[0].conditions;
    CHECK_FALSE(conditions.only_if);
    CHECK_FALSE(conditions.unless);
    CHECK(conditions.when_unmet == Fallback::skip);
    CHECK(conditions.when_exhausted == Fallback::fail);
  }

  TEST_CASE("F7: a pattern may be any JSON and false and null are patterns too") {
    const auto manifest = Manifest::parse(
        R"({"weir":1,"plugin":"p","flows":[{"module":"A","slug":"x","steps":[{"slug":"first"}]},
            {"module":"B","slug":"a","steps":[
              {"slug":"no","only_if":false,"unless":null},
              {"slug":"s","depends_on":["no"],"only_if":{ "no" : {"z":0.1,"a":18446744073709551615}},
               "when_unmet":"skip_cascade","when_exhausted":"skip"}]}]})");
    REQUIRE(manifest);
    const FlowDefinition definition = built(manifest->flows[1]);
    CHECK(definition.steps()[0].conditions.only_if->text() == "false");
    CHECK(definition.steps()[0].conditions.unless->text() == "null");
    const StepConditions& second = definition.steps()[1].conditions;
    CHECK(second.only_if->text() == R"({"no":{"a":18446744073709551615,"z":0.1}})");
    CHECK_FALSE(second.unless);
    CHECK(second.when_unmet == Fallback::skip_cascade);
    CHECK(second.when_exhausted == Fallback::skip);
  }

  TEST_CASE("F7: an unknown fallback is told with the nearest") {
    FlowDraft draft = flow({step("a")});
    draft.steps[0].only_if = json("true");
    draft.steps[0].when_unmet = "skip_cascad";
    draft.steps[0].when_exhausted = "retry";
    CHECK(build_faults(draft) ==
          "unknown_fallback: step \"a\" of flow \"totals\" sets when_unmet to the unknown "
          "\"skip_cascad\" (did you mean \"skip_cascade\"?)\n"
          "unknown_fallback: step \"a\" of flow \"totals\" sets when_exhausted to the unknown "
          "\"retry\" (the fallbacks are fail, skip, skip_cascade)\n");
  }

  TEST_CASE("F7: when_unmet without a condition is refused") {
    FlowDraft draft = flow({step("a")});
    draft.steps[0].when_unmet = "fail";
    CHECK(
        build_faults(draft) ==
        "misplaced_option: step \"a\" of flow \"totals\" sets when_unmet, but has neither only_if "
        "nor unless (give it the condition, or drop when_unmet)\n");
  }

  TEST_CASE("F7: a pattern of a step with dependencies has them as its keys") {
    CHECK(pattern_faults(R"({"ask":{"signalled":true,"payload":{"ok":true}}})") == "");
    CHECK(pattern_faults("true") ==
          "condition_never_met: step \"go\" of flow \"totals\": only_if is a boolean, but is "
          "compared with an object that has the outputs of its dependencies by name ({\"ask\": "
          "…})\n");
    CHECK(pattern_faults(R"({"aks":{}})") ==
          "condition_never_met: step \"go\" of flow \"totals\": only_if asks for \"aks\", which is "
          "not one of its dependencies (did you mean \"ask\"?)\n");
    CHECK(pattern_faults(R"({"signalled":true})") ==
          "condition_never_met: step \"go\" of flow \"totals\": only_if asks for \"signalled\", "
          "which is not one of its dependencies (they are \"ask\")\n");
  }

  TEST_CASE("F7: a pattern on a wait asks for what a wait gives") {
    CHECK(pattern_faults(R"({"ask":true})") ==
          "condition_never_met: step \"go\" of flow \"totals\": only_if of \"ask\" is a boolean, "
          "but the output of a wait is an object (a wait that was signalled gives {\"signalled\": "
          "true, \"payload\": …}, else {\"signalled\": false})\n");
    CHECK(pattern_faults(R"({"ask":{"signaled":true}})") ==
          "condition_never_met: step \"go\" of flow \"totals\": only_if of \"ask\" asks for "
          "\"signaled\", which the output of a wait never has (did you mean \"signalled\"?)\n");
    CHECK(
        pattern_faults(R"({"ask":{"signalled":"yes"}})") ==
        "condition_never_met: step \"go\" of flow \"totals\": only_if of \"ask\": \"signalled\" is "
        "a string (it is true or false)\n");
  }

  TEST_CASE("F7: a pattern of a root may be anything") {
    for (const char* pattern : {"1", "null", "[]", R"({"whatever":1})"}) {
      FlowDraft draft = flow({step("a")});
      draft.steps[0].unless = json(pattern);
      CHECK(build_faults(draft) == "");
    }
  }

  TEST_CASE("D6: conditions stand in the canonical form only where they are used") {
    FlowDraft draft = flow({step("a"), of_kind("wait", "b"), of_kind("flow", "c")});
    draft.steps[0].only_if = json(R"({"z":1,"a":[2]})");
    draft.steps[0].unless = json("false");
    draft.steps[0].when_unmet = "fail";
    draft.steps[0].when_exhausted = "skip";
    draft.steps[1].signal = "paid";
    draft.steps[2].flow = "child";
    const FlowDefinition definition = built(draft);
    const std::string options =
        R"("max_attempts":3,"max_delay_ms":3600000,"max_output_bytes":16777216,)";
    CHECK(definition.canonical().text() ==
          R"({"slug":"totals","steps":[{"base_delay_ms":1000,"depends_on":[],"kind":"single",)" +
              options +
              R"("only_if":{"a":[2],"z":1},"slug":"a","start_delay_ms":0,"timeout_ms":60000,)"
              R"("unless":false,"when_exhausted":"skip","when_unmet":"fail"},)"
              R"({"base_delay_ms":1000,"depends_on":[],"kind":"wait",)" +
              options +
              R"("signal":"paid","slug":"b","start_delay_ms":0,"timeout_ms":60000},)"
              R"({"base_delay_ms":1000,"depends_on":[],"flow":"child","kind":"flow",)" +
              options + R"("slug":"c","start_delay_ms":0,"timeout_ms":60000}]})");
  }

  TEST_CASE("D6: each condition and fallback and signal and child changes the fingerprint") {
    FlowDraft plain = flow({step("a"), of_kind("wait", "b"), of_kind("flow", "c")});
    plain.steps[2].flow = "child";
    std::vector<FlowDraft> others(6, plain);
    others[0].steps[0].only_if = json("null");
    others[1].steps[0].unless = json("null");
    others[2].steps[0].unless = json("null");
    others[2].steps[0].when_unmet = "fail";
    others[3].steps[0].when_exhausted = "skip";
    others[4].steps[1].signal = "d";
    others[5].steps[2].flow = "other";
    std::set<std::string> fingerprints = {built(plain).fingerprint()};
    for (const FlowDraft& other : others) fingerprints.insert(built(other).fingerprint());
    CHECK(fingerprints.size() == others.size() + 1);
  }

  TEST_CASE("D7: what says the usual in words leaves the fingerprint alone") {
    FlowDraft plain = flow({step("a"), of_kind("wait", "b")});
    plain.steps[0].only_if = json(R"({"x":1,"y":2})");
    FlowDraft spelled_out = plain;
    spelled_out.steps[0].only_if = json(R"({ "y" : 2, "x" : 1 })");
    spelled_out.steps[0].when_unmet = "skip";
    spelled_out.steps[0].when_exhausted = "fail";
    spelled_out.steps[1].signal = "b";
    CHECK(built(plain).fingerprint() == built(spelled_out).fingerprint());
  }

  TEST_CASE("V3: another condition or fallback or signal or child is not compatible") {
    FlowDraft plain = flow({step("a"), of_kind("wait", "b"), of_kind("flow", "c")});
    plain.steps[2].flow = "child";
    std::vector<std::pair<FlowDraft, std::string>> others(5, {plain, {}});
    others[0].first.steps[0].only_if = json(R"({"b":1, "a":2})");
    others[0].second = R"(only_if: none -> {"a":2,"b":1})";
    others[1].first.steps[0].unless = json("7");
    others[1].second = "unless: none -> 7";
    others[2].first.steps[0].when_exhausted = "skip_cascade";
    others[2].second = "when_exhausted: fail -> skip_cascade";
    others[3].first.steps[1].signal = "paid";
    others[3].second = "signal: b -> paid";
    others[4].first.steps[2].flow = "other";
    others[4].second = "flow: child -> other";
    for (const auto& [other, change] : others) {
      const std::vector<FlowDefinition> before = {built(plain)};
      const std::vector<FlowDefinition> after = {built(other)};
      const FlowDiff found = diff(before, after).at(0);
      CHECK_FALSE(found.compatible);
      REQUIRE(found.steps.size() == 1);
      REQUIRE(found.steps[0].changes.size() == 1);
      const DefinitionChange& reported = found.steps[0].changes[0];
      CHECK(reported.what + ": " + reported.before + " -> " + reported.after == change);
    }
  }
}

}  // namespace weir
