#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include "drafts.hpp"

namespace weir {
namespace {

std::string cycle(const std::string& way) {
  return "cycle: flow \"totals\" has a cycle: " + way +
         " (each waits for the one before it: drop one of these dependencies)\n";
}

}  // namespace

TEST_SUITE("definition: graph") {
  TEST_CASE("D5: an unknown dependency is told with the nearest step") {
    CHECK(build_faults(flow({step("fetch"), step("price", {"fecth"}), step("sum", {"Fetch"}),
                             step("mail", {"warehouse"})})) ==
          "unknown_dependency: step \"price\" waits for \"fecth\", which flow \"totals\" does not "
          "define "
          "(did you mean \"fetch\"?)\n"
          "unknown_dependency: step \"sum\" waits for \"Fetch\", which flow \"totals\" does not "
          "define "
          "(did you mean \"fetch\"?)\n"
          "unknown_dependency: step \"mail\" waits for \"warehouse\", which flow \"totals\" does "
          "not define "
          "(add the step, or drop the dependency)\n");
  }

  TEST_CASE("D5: the step itself is never the nearest to its own unknown dependency") {
    CHECK(build_faults(flow({step("fetch", {"fetsh"})})) ==
          "unknown_dependency: step \"fetch\" waits for \"fetsh\", which flow \"totals\" does not "
          "define "
          "(add the step, or drop the dependency)\n");
  }

  TEST_CASE("D5: a dependency on itself is refused and is no cycle as well") {
    CHECK(
        build_faults(flow({step("a", {"a"})})) ==
        "self_dependency: step \"a\" of flow \"totals\" waits for itself (drop that dependency)\n");
  }

  TEST_CASE("D5: the same dependency twice is refused") {
    CHECK(build_faults(flow(
              {step("a"), step("b"), step("c", {"a", "b", "a"}), step("d", {"b", "b", "b"})})) ==
          "duplicate_dependency: step \"c\" of flow \"totals\" names its dependency \"a\" twice "
          "(once is enough)\n"
          "duplicate_dependency: step \"d\" of flow \"totals\" names its dependency \"b\" 3 times "
          "(once is enough)\n");
  }

  TEST_CASE("D5: a cycle is printed whole in the order its steps would run") {
    CHECK(build_faults(flow({step("c", {"b"}), step("a", {"c"}), step("b", {"a"})})) ==
          cycle("a → b → c → a"));
    CHECK(build_faults(flow({step("b", {"a"}), step("a", {"b"})})) == cycle("a → b → a"));
  }

  TEST_CASE("D5: steps before and behind a cycle are not part of what is printed") {
    CHECK(build_faults(flow({step("first"), step("x", {"first", "y"}), step("y", {"x"}),
                             step("after", {"y"})})) == cycle("x → y → x"));
  }

  TEST_CASE("D5: cycles that share no dependency are each told") {
    CHECK(build_faults(flow({step("a", {"b"}), step("b", {"a"}), step("c", {"d"}),
                             step("d", {"c", "b"})})) == cycle("a → b → a") + cycle("c → d → c"));
    CHECK(build_faults(flow({step("hub", {"l", "r"}), step("l", {"hub"}), step("r", {"hub"})})) ==
          cycle("hub → l → hub") + cycle("hub → r → hub"));
  }

  TEST_CASE("D5: the shortest of the cycles through a dependency is told and once") {
    CHECK(build_faults(flow({step("a", {"d"}), step("b", {"a"}), step("c", {"b"}),
                             step("d", {"c", "a"})})) == cycle("a → d → a"));
  }

  TEST_CASE("D5: a map with more than one dependency is refused") {
    CHECK(build_faults(flow({step("a"), step("b"), of_kind("map", "m", {"b", "a"})})) ==
          "map_dependencies: step \"m\" of flow \"totals\" is a map with 2 dependencies: \"a\", "
          "\"b\" "
          "(a map has at most one, whose output is the array it maps over: let a single step join "
          "them)\n");
  }

  TEST_CASE("D5: a map that names its one dependency twice has one fault") {
    CHECK(build_faults(flow({step("a"), of_kind("map", "m", {"a", "a"})})) ==
          "duplicate_dependency: step \"m\" of flow \"totals\" names its dependency \"a\" twice "
          "(once is enough)\n");
  }

  TEST_CASE("D4: single and map steps may stand at the root and behind one another") {
    CHECK(build_faults(flow(
              {of_kind("map", "m"), of_kind("map", "n", {"m"}), step("s", {"m", "n"})})) == "");
  }

  TEST_CASE("D4: an unknown kind is told with the nearest") {
    CHECK(build_faults(
              flow({of_kind("Map", "a"), of_kind("singel", "b"), of_kind("parallel", "c")})) ==
          "unknown_kind: step \"a\" of flow \"totals\" is of the unknown kind \"Map\" (did you "
          "mean \"map\"?)\n"
          "unknown_kind: step \"b\" of flow \"totals\" is of the unknown kind \"singel\" (did you "
          "mean \"single\"?)\n"
          "unknown_kind: step \"c\" of flow \"totals\" is of the unknown kind \"parallel\" "
          "(the kinds are single, map, wait, flow)\n");
  }

  TEST_CASE("D5: a flow without steps is refused") {
    CHECK(build_faults(flow({})) ==
          "no_steps: flow \"totals\" has no steps (give it at least one)\n");
  }

  TEST_CASE("D5: 1024 steps are allowed and 1025 are not") {
    std::vector<FlowDraft::Step> chain = {step("s0")};
    while (chain.size() < 1'024)
      chain.push_back(step("s" + std::to_string(chain.size()), {chain.back().slug}));
    CHECK(build_faults(flow(chain)) == "");
    chain.push_back(step("last"));
    CHECK(build_faults(flow(chain)) ==
          "too_many_steps: flow \"totals\" has 1025 steps, more than the 1024 that are allowed "
          "(one map step runs any number of tasks)\n");
  }

  TEST_CASE("D5: an input schema that is no schema is refused") {
    FlowDraft draft = flow({step("a")});
    draft.input_schema = *Json::parse("[1]");
    CHECK(
        build_faults(draft) ==
        "bad_input_schema: input_schema of flow \"totals\" is an array, which is not a JSON schema "
        "(a schema is an object, or true or false)\n");
    draft.input_schema = *Json::parse(R"({"type": "object"})");
    CHECK(build_faults(draft) == "");
  }

  TEST_CASE("D5: every fault of a definition is found in one pass and none twice") {
    FlowDraft draft = flow({step("fetch", {"fetch"}, {.timeout_ms = 0}), step("Fetch"),
                            of_kind("mpa", "b", {"c", "c"}), step("c", {"b", "wherefrom"}),
                            of_kind("map", "m", {"b", "c"})});
    draft.module = "";
    draft.slug = "my totals";
    draft.options.max_attempts = 0;
    const auto built = FlowDefinition::build(draft);
    REQUIRE_FALSE(built);
    std::vector<std::string> kinds;
    for (const Error& fault : built.error()) {
      CHECK(fault.code == ErrorCode::invalid_definition);
      kinds.push_back(fault.kind);
    }
    std::ranges::sort(kinds);
    CHECK(kinds == std::vector<std::string>{"bad_module_name", "bad_slug", "cycle",
                                            "duplicate_dependency", "duplicate_step",
                                            "map_dependencies", "option_out_of_range",
                                            "option_out_of_range", "self_dependency",
                                            "unknown_dependency", "unknown_kind"});
  }

  TEST_CASE("D5: a hostile draft costs no more than a hundred faults") {
    std::mt19937 random(7);
    const auto word = [&] {
      std::string text(128, 'a');
      for (char& c : text) c = static_cast<char>('a' + random() % 26);
      return text;
    };
    std::vector<FlowDraft::Step> steps;
    for (int i = 0; i < 1'000; ++i)
      steps.push_back(step(word(), {word(), word(), word(), word(), word()}));
    const auto built = FlowDefinition::build(flow(steps));
    REQUIRE_FALSE(built);
    CHECK(built.error().size() == 100);
  }
}

}  // namespace weir
