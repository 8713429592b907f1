#pragma once
#include <string>
#include <vector>

#include "unit/definition/drafts.hpp"

namespace weir {

/// Two definitions of flow "totals", and whether runs of the first may go on with the second (V3).
/// All that judge it are tested against these: definition/flow_diff, the SQL, the simulated store.
struct CompatibilityCase {
  FlowDraft before, after;
  std::string difference;  ///< the first, as a store says it; empty: they are compatible
  std::string what = {};   ///< DefinitionChange::what of it; empty: a step is added or removed
};

inline std::vector<CompatibilityCase> compatibility_cases() {
  FlowDraft plain = flow({step("a"), of_kind("wait", "b", {"a"}), of_kind("flow", "c", {"b"})});
  plain.steps[2].flow = "child";
  const auto with = [&](auto&& change) {
    FlowDraft other = plain;
    change(other);
    return other;
  };
  const auto pattern = [](std::string_view text) { return Json::parse(std::string(text)).value(); };
  const FlowDraft seven = with([&](FlowDraft& f) { f.steps[0].only_if = pattern("7"); });
  const FlowDraft cascade = with([&](FlowDraft& f) {
    f.steps[0].only_if = pattern("null");
    f.steps[0].when_unmet = "skip_cascade";
  });
  FlowDraft fails = cascade;
  fails.steps[0].when_unmet = "fail";
  const FlowDraft ab = flow({step("a"), step("b", {"a"})});
  return {
      {plain, plain, ""},
      {plain, with([](FlowDraft& f) { std::swap(f.steps[0], f.steps[2]); }), ""},
      {plain, with([](FlowDraft& f) { f.steps[0].options.max_attempts = 9; }), ""},
      {plain, with([](FlowDraft& f) { f.steps[1].options.timeout_ms = 5; }), ""},
      {plain, with([](FlowDraft& f) { f.module = "shop.Others"; }), ""},
      {plain, with([&](FlowDraft& f) { f.input_schema = pattern(R"({"type":"object"})"); }), ""},
      {ab, flow({step("a"), step("b", {"a"}), step("c", {"b"})}), R"(step "c" is new)"},
      {ab, flow({step("a")}), R"(step "b" is gone)"},
      {ab, flow({step("a"), step("x", {"a"})}), R"(step "x" is new)"},
      {ab, flow({step("a"), step("b")}), R"(step "b" waits for nothing, it waited for "a")",
       "depends_on"},
      {ab, flow({step("a"), of_kind("map", "b", {"a"})}),
       R"(step "b" is of kind map, it was of kind single)", "kind"},
      {plain, seven, R"(step "a" has only_if 7, it had none)", "only_if"},
      {seven, plain, R"(step "a" has only_if none, it had 7)", "only_if"},
      {plain, with([&](FlowDraft& f) { f.steps[0].unless = pattern("true"); }),
       R"(step "a" has unless true, it had none)", "unless"},
      {plain, cascade, R"(step "a" has only_if null, it had none)", "only_if"},
      {cascade, fails, R"(step "a" has when_unmet fail, it had skip_cascade)", "when_unmet"},
      {plain, with([](FlowDraft& f) { f.steps[0].when_exhausted = "skip"; }),
       R"(step "a" has when_exhausted skip, it had fail)", "when_exhausted"},
      {plain, with([](FlowDraft& f) { f.steps[1].signal = "paid"; }),
       R"(step "b" waits for the signal "paid", it waited for "b")", "signal"},
      {plain, with([](FlowDraft& f) { f.steps[2].flow = "other"; }),
       R"(step "c" starts flow "other", it started "child")", "flow"},
  };
}

}  // namespace weir
