#include <algorithm>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "base/sha256.hpp"
#include "drafts.hpp"

namespace weir {
namespace {

// A random flow without cycles: a step waits only for some of those made before it.
FlowDraft random_flow(std::mt19937& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::vector<std::string> names;
  for (std::size_t i = 1 + below(25); names.size() < i;)
    names.push_back("s" + std::to_string(names.size()));
  std::ranges::shuffle(names, random);
  std::vector<FlowDraft::Step> steps;
  for (const std::string& name : names) {
    FlowDraft::Step next = step(name);
    if (below(3) == 0) next.options.max_attempts = static_cast<std::int64_t>(1 + below(9));
    if (!steps.empty() && below(4) == 0) {
      next.kind = "map";
      next.depends_on = {steps[below(steps.size())].slug};
    } else {
      for (const FlowDraft::Step& other : steps)
        if (below(4) == 0) next.depends_on.push_back(other.slug);
    }
    steps.push_back(next);
  }
  return flow(steps);
}

FlowDraft shuffled(FlowDraft draft, std::mt19937& random) {
  std::ranges::shuffle(draft.steps, random);
  for (FlowDraft::Step& each : draft.steps) std::ranges::shuffle(each.depends_on, random);
  return draft;
}

}  // namespace

TEST_SUITE("definition: canonical form") {
  TEST_CASE("D6: steps stand dependencies first and by slug where either could be next") {
    CHECK(slugs(built(flow({step("z"), step("b", {"z"}), step("a", {"b"}), step("m"),
                            step("C")}))) == "C m z b a");
    CHECK(slugs(built(flow({step("sum", {"price"}), step("price", {"fetch"}), step("fetch")}))) ==
          "fetch price sum");
  }

  TEST_CASE("D6: positions point both ways between a step and those who wait for it") {
    const FlowDefinition diamond =
        built(flow({step("d", {"c", "b"}), step("c", {"a"}), step("b", {"a"}), step("a")}));
    CHECK(diamond.steps()[0].dependents == std::vector<std::size_t>{1, 2});
    CHECK(diamond.steps()[3].depends_on == std::vector<std::size_t>{1, 2});
    CHECK(diamond.find("d") == 3);
    CHECK(diamond.find("D") == std::nullopt);
  }

  TEST_CASE("D6: the canonical form is this text and its fingerprint this hash") {
    FlowDraft draft = flow({of_kind("map", "price", {"fetch"}),
                            step("sum", {"price", "fetch"}, {.start_delay_ms = 7}),
                            step("fetch", {}, {.timeout_ms = 30'000})});
    draft.options.max_attempts = 5;
    const FlowDefinition definition = built(draft);
    CHECK(
        definition.canonical().text() ==
        R"({"slug":"totals","steps":[)"
        R"({"base_delay_ms":1000,"depends_on":[],"kind":"single","max_attempts":5,"max_delay_ms":3600000,)"
        R"("max_output_bytes":16777216,"slug":"fetch","start_delay_ms":0,"timeout_ms":30000},)"
        R"({"base_delay_ms":1000,"depends_on":["fetch"],"kind":"map","max_attempts":5,"max_delay_ms":3600000,)"
        R"("max_output_bytes":16777216,"slug":"price","start_delay_ms":0,"timeout_ms":60000},)"
        R"({"base_delay_ms":1000,"depends_on":["fetch","price"],"kind":"single","max_attempts":5,)"
        R"("max_delay_ms":3600000,"max_output_bytes":16777216,"slug":"sum","start_delay_ms":7,"timeout_ms":60000}]})");
    CHECK(definition.fingerprint() ==
          "6b4299762d51cc83387590a13bc31aa69486a2825ebbbfd0a2cadaa8bd5bb628");
  }

  TEST_CASE("D6: the canonical form has dependencies by slug though their steps stand otherwise") {
    const FlowDefinition definition =
        built(flow({step("z"), step("a", {"z"}), step("m", {"z", "a"})}));
    CHECK(slugs(definition) == "z a m");
    CHECK(definition.canonical().text().find(R"("depends_on":["a","z"])") !=
          std::string_view::npos);
  }

  TEST_CASE("D6: the order of declaration changes neither positions nor fingerprint") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
      CAPTURE(seed);
      std::mt19937 random(seed);
      const FlowDraft draft = random_flow(random);
      const FlowDefinition once = built(draft);
      const FlowDefinition again = built(shuffled(draft, random));
      CHECK(once.canonical() == again.canonical());
      CHECK(once.fingerprint() == again.fingerprint());
      CHECK(slugs(once) == slugs(again));
    }
  }

  TEST_CASE("D6: every step stands behind what it waits for") {
    for (unsigned seed = 1; seed <= 300; ++seed) {
      CAPTURE(seed);
      std::mt19937 random(seed);
      const FlowDraft draft = random_flow(random);
      const FlowDefinition definition = built(draft);
      REQUIRE(definition.steps().size() == draft.steps.size());
      for (const FlowDraft::Step& drafted : draft.steps) {
        const std::size_t own = *definition.find(drafted.slug);
        std::set<std::size_t> wanted;
        for (const std::string& other : drafted.depends_on) wanted.insert(*definition.find(other));
        const std::vector<std::size_t>& depends_on = definition.steps()[own].depends_on;
        CHECK(std::vector<std::size_t>(wanted.begin(), wanted.end()) == depends_on);
        for (const std::size_t dependency : depends_on) {
          CHECK(dependency < own);
          CHECK(std::ranges::count(definition.steps()[dependency].dependents, own) == 1);
        }
      }
    }
  }

  TEST_CASE("D6: whatever says how a run goes on changes the fingerprint") {
    const FlowDraft plain = flow({step("a"), step("b"), step("c", {"a"})});
    std::vector<FlowDraft> others(4, plain);
    others[0].slug = "Totals";
    others[1].steps[2].depends_on = {"b"};
    others[2].steps[2].kind = "map";
    others[3].steps[1].slug = "d";
    for (const OptionRule& rule : option_rules) {
      FlowDraft changed = plain;
      changed.steps[0].options.*rule.member = rule.min + 1;
      others.push_back(changed);
    }
    std::set<std::string> fingerprints = {built(plain).fingerprint()};
    for (const FlowDraft& other : others) fingerprints.insert(built(other).fingerprint());
    CHECK(fingerprints.size() == others.size() + 1);
  }

  TEST_CASE("D7: a definition that says the same in other words has the same fingerprint") {
    const FlowDraft plain = flow({step("a"), step("b", {"a"})});
    FlowDraft spelled_out = plain;
    spelled_out.options = {.max_attempts = 3, .timeout_ms = 60'000};
    spelled_out.steps[1].options.base_delay_ms = 1'000;
    CHECK(built(plain).fingerprint() == built(spelled_out).fingerprint());
  }

  TEST_CASE("D7: neither the module's name nor the input schema makes a new version") {
    const FlowDraft plain = flow({step("a")});
    FlowDraft other = plain;
    other.module = "shop.Renamed";
    other.input_schema = *Json::parse(R"({"type":"object"})");
    CHECK(built(plain).fingerprint() == built(other).fingerprint());
    CHECK(built(other).input_schema()->text() == R"({"type":"object"})");
  }

  TEST_CASE("S3: a flow maps over its input exactly when a map stands at the root") {
    CHECK(built(flow({of_kind("map", "m")})).maps_over_input());
    CHECK(built(flow({step("a"), of_kind("map", "m")})).maps_over_input());
    CHECK_FALSE(built(flow({step("a"), of_kind("map", "m", {"a"})})).maps_over_input());
  }
}

}  // namespace weir
