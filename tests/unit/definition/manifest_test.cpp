#include "definition/manifest.hpp"

#include <string>

#include <doctest/doctest.h>

#include "drafts.hpp"

namespace weir {
namespace {

std::string refusal(std::string_view text) {
  const auto manifest = Manifest::parse(text);
  return manifest ? "" : lines(manifest.error());
}

// A manifest whose only flow has `members` beside its module, slug and one step.
std::string with_flow(const std::string& members) {
  return R"({"weir":1,"plugin":"p","flows":[{"module":"shop.A","slug":"a","steps":[{"slug":"s"}])" +
         members + "}]}";
}

std::string with_step(const std::string& members) {
  return R"({"weir":1,"plugin":"p","flows":[{"module":"shop.A","slug":"a","steps":[{"slug":"s")" +
         members + "}]}]}";
}

}  // namespace

TEST_SUITE("definition: manifest") {
  TEST_CASE("everything a manifest says is read") {
    const std::string text = R"({"weir": 1, "plugin": "order_totals", "version": "1.0.0", "flows": [
      {"module": "shop.OrderTotals", "slug": "order_totals", "max_attempts": 5,
       "input_schema": {"type": "object", "required": ["skus"]},
       "steps": [{"slug": "fetch", "kind": "single", "depends_on": [], "timeout_ms": 30000},
                 {"slug": "price", "kind": "map", "depends_on": ["fetch"], "start_delay_ms": 10,
                  "base_delay_ms": 1, "max_delay_ms": 2, "max_output_bytes": 1e3}]},
      {"module": "shop.Other", "slug": "other", "steps": [{"slug": "only"}]}]})";
    const auto manifest = Manifest::parse(text);
    REQUIRE_MESSAGE(manifest, refusal(text));
    CHECK(manifest->plugin == "order_totals");
    CHECK(manifest->version == "1.0.0");
    CHECK(manifest->text.text() == text);
    REQUIRE(manifest->flows.size() == 2);
    const FlowDraft& totals = manifest->flows[0];
    CHECK(totals.module == "shop.OrderTotals");
    CHECK(totals.slug == "order_totals");
    CHECK(totals.options == OptionOverrides{.max_attempts = 5});
    CHECK(totals.input_schema->text() == R"({"type":"object","required":["skus"]})");
    REQUIRE(totals.steps.size() == 2);
    CHECK(totals.steps[0].slug == "fetch");
    CHECK(totals.steps[0].options == OptionOverrides{.timeout_ms = 30'000});
    CHECK(totals.steps[1].kind == "map");
    CHECK(totals.steps[1].depends_on == std::vector<std::string>{"fetch"});
    CHECK(totals.steps[1].options == OptionOverrides{.base_delay_ms = 1,
                                                     .max_delay_ms = 2,
                                                     .start_delay_ms = 10,
                                                     .max_output_bytes = 1'000});
    const FlowDraft& other = manifest->flows[1];
    CHECK(other.steps[0].kind == "single");
    CHECK_FALSE(other.input_schema);
  }

  TEST_CASE("a text that is not JSON is told with line and column") {
    CHECK(refusal("{\"weir\": 1,\n \"plugin\" \"p\"}") ==
          "bad_manifest: the manifest is not JSON: line 2, column 11: syntax error\n");
    CHECK(refusal("") ==
          "bad_manifest: the manifest is not JSON: line 1, column 1: the text ends too early\n");
    CHECK(refusal("[]") == "bad_manifest: the manifest is an array, not an object\n");
  }

  TEST_CASE("a manifest over 1 MiB is refused unread") {
    CHECK(refusal(std::string(Manifest::bytes_max + 1, ' ')) ==
          "bad_manifest: the manifest is 1048577 bytes long (at most 1048576 are allowed)\n");
  }

  TEST_CASE("every missing key is told") {
    CHECK(refusal("{}") ==
          "bad_manifest: manifest: \"weir\" is missing\n"
          "bad_manifest: manifest: \"plugin\" is missing\n"
          "bad_manifest: manifest: \"flows\" is missing\n");
    CHECK(
        refusal(R"({"weir":1,"plugin":"p","flows":[{},{"module":"A","slug":"a","steps":[{}]}]})") ==
        "bad_manifest: /flows/0: \"module\" is missing\n"
        "bad_manifest: /flows/0: \"slug\" is missing\n"
        "bad_manifest: /flows/0: \"steps\" is missing\n"
        "bad_manifest: /flows/1/steps/0: \"slug\" is missing\n");
  }

  TEST_CASE("every wrong type is told with its place and what stood there") {
    CHECK(refusal(R"({"weir":"1","plugin":7,"version":null,"flows":{}})") ==
          "bad_manifest: /weir: expected a whole number, got a string\n"
          "bad_manifest: /plugin: expected a string, got a number\n"
          "bad_manifest: /version: expected a string, got null\n"
          "bad_manifest: /flows: expected an array, got an object\n");
    CHECK(refusal(with_flow(R"(,"max_attempts":true)")) ==
          "bad_manifest: /flows/0/max_attempts: expected a whole number, got a boolean\n");
    CHECK(refusal(with_step(R"(,"kind":[],"depends_on":["a",1],"timeout_ms":null)")) ==
          "bad_manifest: /flows/0/steps/0/kind: expected a string, got an array\n"
          "bad_manifest: /flows/0/steps/0/depends_on/1: expected a string, got a number\n"
          "bad_manifest: /flows/0/steps/0/timeout_ms: expected a whole number, got null\n");
    CHECK(refusal(R"({"weir":1,"plugin":"p","flows":[3]})") ==
          "bad_manifest: /flows/0: expected an object, got a number\n");
  }

  TEST_CASE("a number that is not whole or past all ranges is told as it stands") {
    CHECK(refusal(with_step(
              R"(,"timeout_ms":1.5,"max_attempts":18446744073709551615,"base_delay_ms":1e300)")) ==
          "bad_manifest: /flows/0/steps/0/max_attempts: 18446744073709551615 is too large\n"
          "bad_manifest: /flows/0/steps/0/base_delay_ms: 1e+300 is too large\n"
          "bad_manifest: /flows/0/steps/0/timeout_ms: expected a whole number, got 1.5\n");
  }

  TEST_CASE("an unknown key is told with the nearest and a stranger with them all") {
    CHECK(refusal(with_step(R"(,"timeout":1,"dependson":[])")) ==
          "bad_manifest: /flows/0/steps/0: unknown key \"timeout\" (did you mean \"timeout_ms\"?)\n"
          "bad_manifest: /flows/0/steps/0: unknown key \"dependson\" (did you mean "
          "\"depends_on\"?)\n");
    CHECK(
        refusal(
            R"({"weir":1,"plugin":"p","flows":[{"module":"A","slug":"a","steps":[{"slug":"s"}]}],"colour":1})") ==
        "bad_manifest: manifest: unknown key \"colour\" (the keys here are weir, plugin, version, "
        "requires, "
        "flows)\n");
  }

  TEST_CASE("a newer format is told alone since nothing else in it can be judged") {
    CHECK(refusal(R"({"weir":2,"plugin":[],"streams":[]})") ==
          "requires_newer_weir: /weir: the manifest is of format 2, this version of Weir reads "
          "format 1 "
          "(use a newer Weir, or build the plugin against this one's headers)\n");
    CHECK(
        refusal(R"({"weir":0,"plugin":"p","flows":[{"module":"A","slug":"a","steps":[]}]})") ==
        "bad_manifest: /weir: 0 is not a manifest format (this version of Weir reads format 1)\n");
  }

  TEST_CASE("1 to 256 flows stand in a plugin") {
    const auto of_flows = [](std::size_t count) {
      std::string flows;
      for (std::size_t i = 0; i < count; ++i) {
        const std::string name = "f" + std::to_string(i);
        flows += (i == 0 ? "" : ",") +
                 (R"({"module":"M.)" + name + R"(","slug":")" + name + R"(","steps":[]})");
      }
      return R"({"weir":1,"plugin":"p","flows":[)" + flows + "]}";
    };
    CHECK(refusal(of_flows(0)) == "bad_manifest: /flows: has 0 elements (1 to 256 are allowed)\n");
    CHECK(refusal(of_flows(256)) == "");
    CHECK(refusal(of_flows(257)) ==
          "bad_manifest: /flows: has 257 elements (1 to 256 are allowed)\n");
  }

  TEST_CASE("the plugin's name and version are lines of text") {
    CHECK(
        refusal(
            R"({"weir":1,"plugin":"","version":"1\n2","flows":[{"module":"A","slug":"a","steps":[]}]})") ==
        "bad_manifest: /plugin: is empty\n"
        "bad_manifest: /version: \"1\\n2\" has control characters (give one line of plain text)\n");
    CHECK(refusal(R"({"weir":1,"plugin":")" + std::string(256, 'p') +
                  R"(","flows":[{"module":"A","slug":"a","steps":[]}]})") ==
          "bad_manifest: /plugin: is 256 bytes long (at most 255 are allowed)\n");
  }

  TEST_CASE("D1: two flows of one manifest may not share a slug in any case or a module") {
    CHECK(
        refusal(
            R"({"weir":1,"plugin":"p","flows":[{"module":"A","slug":"CaseFlow","steps":[]},)"
            R"({"module":"B","slug":"caseflow","steps":[]},{"module":"A","slug":"c","steps":[]}]})") ==
        "duplicate_module: /flows/2/module: \"A\" is already the module of /flows/0 (rename one of "
        "them)\n"
        "duplicate_slug: /flows/1/slug: \"caseflow\" is already the slug of /flows/0, which spells "
        "it \"CaseFlow\" "
        "(rename one of them)\n");
  }

  TEST_CASE("deep nesting in a schema is read as deep as JSON may go") {
    const auto nested = [](std::size_t depth) {
      return with_flow(R"(,"input_schema":)" + std::string(depth, '[') + std::string(depth, ']'));
    };
    CHECK(refusal(nested(Json::depth_max - 3)) == "");
    CHECK(
        refusal(nested(Json::depth_max))
            .starts_with("bad_manifest: the manifest is JSON that cannot be kept: line 1, column"));
  }
}

}  // namespace weir
