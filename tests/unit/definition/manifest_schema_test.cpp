#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <weir/sdk/options.hpp>

#include "definition/input_schema.hpp"
#include "definition/manifest.hpp"
#include "drafts.hpp"

namespace weir {
namespace {

std::string schema_text() {
  std::ifstream file(std::filesystem::path(WEIR_SOURCE_DIR) / "schemas/manifest.schema.json");
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether reading a manifest and building its flows went well.
bool is_taken(const std::string& text) {
  const auto manifest = Manifest::parse(text);
  if (!manifest) return false;
  for (const FlowDraft& draft : manifest->flows)
    if (!FlowDefinition::build(draft)) return false;
  return true;
}

std::string around(const std::string& flow, const std::string& step) {
  return R"({"weir":1,"plugin":"p","flows":[{"module":"shop.A","slug":"a")" + flow +
         R"(,"steps":[{"slug":"s")" + step + "}]}]}";
}

}  // namespace

TEST_SUITE("definition: manifest schema") {
  TEST_CASE("D3: the schema and the SDK have the ranges and defaults of the engine") {
    const boost::json::value schema = boost::json::parse(schema_text());
    CHECK(sdk::option_ranges.size() == option_rules.size());
    const StepOptions defaults;
    const OptionOverrides spelled_out = {.max_attempts = defaults.max_attempts,
                                         .base_delay_ms = defaults.base_delay.count(),
                                         .max_delay_ms = defaults.max_delay.count(),
                                         .timeout_ms = defaults.timeout.count(),
                                         .start_delay_ms = defaults.start_delay.count(),
                                         .max_output_bytes = defaults.max_output_bytes};
    for (std::size_t i = 0; i < option_rules.size(); ++i) {
      const OptionRule& rule = option_rules[i];
      CAPTURE(rule.name);
      const std::string name(rule.name);
      const boost::json::value& written = schema.at("definitions").at(name);
      CHECK(written.at("minimum").as_int64() == rule.min);
      CHECK(written.at("maximum").as_int64() == rule.max);
      CHECK(written.at("default").as_int64() == spelled_out.*rule.member);
      CHECK(sdk::option_ranges[i].name == rule.name);
      CHECK(sdk::option_ranges[i].min == rule.min);
      CHECK(sdk::option_ranges[i].max == rule.max);
    }
  }

  TEST_CASE("the schema takes and refuses the form of a manifest as the reader does") {
    const Json schema = *Json::parse(schema_text());
    const std::string long_name(129, 'x');
    const auto agree = [&](const std::string& manifest, bool taken) {
      CAPTURE(manifest);
      CHECK(is_taken(manifest) == taken);
      const Result<void> by_schema = check_input(schema, *Json::parse(manifest));
      CHECK_MESSAGE(by_schema.has_value() == taken, (by_schema ? "" : by_schema.error().message));
    };
    agree(around("", ""), true);
    agree(around(R"(,"input_schema":{"type":"object"},"timeout_ms":5)",
                 R"(,"kind":"map","depends_on":[])"),
          true);
    for (const OptionRule& rule : option_rules) {
      const std::string name(rule.name);
      for (const std::int64_t value : {rule.min - 1, rule.min, rule.max, rule.max + 1}) {
        const std::string option = ",\"" + name + "\":" + std::to_string(value);
        agree(around("", option), rule.allows(value));
        agree(around(option, ""), rule.allows(value) && !rule.step_only);
      }
      agree(around("", ",\"" + name + "\":\"1\""), false);
      agree(around("", ",\"" + name + "\":1.5"), false);
      agree(around("", ",\"" + name + "\":null"), false);
    }
    agree(around("", R"(,"kind":"wait")"), true);
    agree(around("", R"(,"kind":"wait","signal":"order.paid","timeout_ms":5)"), true);
    agree(around("", R"(,"kind":"wait","signal":"order paid")"), false);
    agree(around("", R"(,"kind":"wait","max_attempts":2)"), false);
    agree(around("", R"(,"kind":"wait","when_exhausted":"skip")"), false);
    agree(around("", R"(,"kind":"wait","flow":"b")"), false);
    agree(around("", R"(,"signal":"paid")"), false);
    agree(around("", R"(,"kind":"flow")"), false);
    agree(around("", R"(,"kind":"flow","flow":"b","start_delay_ms":1)"), true);
    agree(around("", R"(,"kind":"flow","flow":"b c")"), false);
    agree(around("", R"(,"kind":"flow","flow":"b","timeout_ms":1)"), false);
    agree(around("", R"(,"flow":"b")"), false);
    for (const char* pattern : {"null", "false", "7", "{}", "[1]"})
      agree(around("", R"(,"only_if":)" + std::string(pattern) + R"(,"when_unmet":"fail")"), true);
    agree(around("", R"(,"unless":{},"when_unmet":"skip_cascade","when_exhausted":"skip")"), true);
    agree(around("", R"(,"unless":{},"when_unmet":"drop")"), false);
    agree(around("", R"(,"when_unmet":"fail")"), false);
    agree(around("", R"(,"when_exhausted":null)"), false);
    agree(around("", R"(,"kind":"Map")"), false);
    agree(around("", R"(,"depends_on":"s")"), false);
    agree(around("", R"(,"depends_on":[1])"), false);
    agree(around("", R"(,"colour":1)"), false);
    agree(around(R"(,"colour":1)", ""), false);
    agree(around(R"(,"input_schema":[])", ""), false);
    agree(R"({"weir":1,"plugin":"p","flows":[]})", false);
    agree(R"({"weir":1,"plugin":"","flows":[{"module":"A","slug":"a","steps":[{"slug":"s"}]}]})",
          false);
    for (const char* format : {"0", "2", "\"1\"", "null"})
      agree(R"({"weir":)" + std::string(format) +
                R"(,"plugin":"p","flows":[{"module":"A","slug":"a","steps":[{"slug":"s"}]}]})",
            false);
    for (const std::string& slug :
         {std::string("Run"), std::string("9a"), std::string("a b"), std::string(), long_name})
      agree(R"({"weir":1,"plugin":"p","flows":[{"module":"A","slug":")" + slug +
                R"(","steps":[{"slug":"s"}]}]})",
            false);
    for (const char* module : {"", ".", "a..b", "a.9", "a-b"})
      agree(R"({"weir":1,"plugin":"p","flows":[{"module":")" + std::string(module) +
                R"(","slug":"a","steps":[{"slug":"s"}]}]})",
            false);
    for (const char* missing :
         {R"("plugin":"p","flows":[{"module":"A","slug":"a","steps":[{"slug":"s"}]}])",
          R"("weir":1,"flows":[{"module":"A","slug":"a","steps":[{"slug":"s"}]}])",
          R"("weir":1,"plugin":"p")",
          R"("weir":1,"plugin":"p","flows":[{"slug":"a","steps":[{"slug":"s"}]}])",
          R"("weir":1,"plugin":"p","flows":[{"module":"A","steps":[{"slug":"s"}]}])",
          R"("weir":1,"plugin":"p","flows":[{"module":"A","slug":"a"}])",
          R"("weir":1,"plugin":"p","flows":[{"module":"A","slug":"a","steps":[]}])",
          R"("weir":1,"plugin":"p","flows":[{"module":"A","slug":"a","steps":[{}]}])"})
      agree("{" + std::string(missing) + "}", false);
  }
}

}  // namespace weir
