#include "definition/input_schema.hpp"

#include <doctest/doctest.h>

using namespace weir;

namespace {

constexpr const char* orders =
    R"({"type": "object", "required": ["orders"], "properties": {"orders": {"type": "array",
        "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}}}})";

Result<void> check(const char* schema, std::string input) {
  return check_input(Json::trusted(schema), Json::trusted(std::move(input)));
}

// Empty when the input is taken.
std::string refusal(const char* schema, std::string input) {
  const auto taken = check(schema, std::move(input));
  if (taken) return "";
  CHECK(taken.error().code == ErrorCode::invalid_input);
  CHECK(taken.error().kind == "input_schema");
  return taken.error().message;
}

}  // namespace

TEST_SUITE("definition: input schema") {
  TEST_CASE("S3: an input that fits is taken, whatever else it holds") {
    CHECK(refusal(orders, R"({"orders": [{"sku": "a", "note": 1}], "more": null})") == "");
    CHECK(refusal(orders, R"({"orders": []})") == "");
  }

  TEST_CASE("S3: each fault is told with the JSON pointer of its place") {
    CHECK(refusal(orders, R"({"orders": [{"sku": "a"}, {"sku": 7}, {}]})") ==
          "/orders/1/sku: expected a string, got a number; /orders/2: \"sku\" is missing");
    CHECK(refusal(R"({"additionalProperties": false})", R"({"a/b~": 1})") ==
          "the input: \"a/b~\" is not allowed");
    CHECK(refusal(R"({"additionalProperties": {"type": "null"}})", R"({"a/b~": 1})") ==
          "/a~1b~0: expected null, got a number");
  }

  TEST_CASE("S3: of many faults the first ten are told") {
    std::string input = "[0";
    for (int i = 1; i < 50'000; ++i) input += ",0";
    const std::string message = refusal(R"({"items": {"type": "string"}})", input + "]");
    CHECK(message.starts_with("/0: expected a string, got a number; /10: "));
    CHECK(message.ends_with("; and more"));
    CHECK(message.size() < 1'000);
  }

  TEST_CASE("S3: a number without a fraction is an integer however it is written") {
    // The second has a keyword that only valijson knows.
    for (const char* schema :
         {R"({"type": "integer"})", R"({"type": "integer", "multipleOf": 1})"}) {
      CAPTURE(schema);
      for (const char* whole :
           {"1", "1.0", "1e2", "-0.0", "120e-1", "9223372036854775807", "9223372036854775808",
            "18446744073709551615", "-9223372036854775808", "1e300"})
        CHECK(refusal(schema, whole) == "");
      for (const char* fraction : {"1.5", "1e-2", "-0.5"})
        CHECK(refusal(schema, fraction) == "the input: expected an integer, got a fraction");
      CHECK(refusal(schema, R"("1")") == "the input: expected an integer, got a string");
    }
    CHECK(refusal(R"({"enum": [1, 2]})", "2.0") == "");
    CHECK(refusal(R"({"const": {"a": [100]}})", R"({"a": [1e2]})") == "");
  }

  TEST_CASE("S3: limits are exact for 64-bit integers") {
    CHECK(refusal(R"({"maximum": 9223372036854775806})", "9223372036854775807") ==
          "the input: expected at most 9223372036854775806");
    CHECK(refusal(R"({"exclusiveMinimum": 5})", "5.0") == "the input: expected more than 5");
    CHECK(refusal(R"({"maxLength": 2})", R"("äöü")") ==
          "the input: has 3 characters, expected at most 2");
  }

  TEST_CASE("S3: what only valijson knows is checked too") {
    CHECK(refusal(R"({"properties": {"a": {"pattern": "^x"}}})", R"({"a": "xy"})") == "");
    CHECK(refusal(R"({"properties": {"a": {"pattern": "^x"}}})", R"({"a": "y"})")
              .starts_with("/a: "));
    CHECK(refusal(R"({"definitions": {"n": {"type": "integer"}},
                      "items": {"$ref": "#/definitions/n"}})",
                  "[1, 1.0, 1.5]")
              .starts_with("/2: "));
  }

  TEST_CASE("S3: a schema that cannot be used is not the input's fault") {
    const auto refused = check(R"({"type": 7})", "{}");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::corrupt);
  }
}
