#include "definition/input_schema.hpp"

#include <doctest/doctest.h>

using namespace weir;

namespace {

const Json orders = Json::trusted(
    R"({"type": "object", "required": ["orders"], "properties": {"orders": {"type": "array",
        "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}}}})");

Result<void> check(std::string input) {
  return check_input(orders, Json::trusted(std::move(input)));
}

}  // namespace

TEST_SUITE("client: input schema") {
  TEST_CASE("S3: an input that fits is taken, whatever else it holds") {
    CHECK(check(R"({"orders": [{"sku": "a", "note": 1}], "more": null})").has_value());
    CHECK(check(R"({"orders": []})").has_value());
  }

  TEST_CASE("S3: a fault is told with the JSON pointer of its place") {
    const auto refused = check(R"({"orders": [{"sku": "a"}, {"sku": 7}]})");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::invalid_input);
    CHECK(refused.error().kind == "input_schema");
    CHECK(refused.error().message.find("/orders/1/sku: ") != std::string::npos);
  }

  TEST_CASE("S3: a missing member is told by name") {
    const auto refused = check("{}");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message == "the input: Missing required property 'orders'.");
  }

  TEST_CASE("S3: a schema that cannot be used is not the input's fault") {
    const auto refused = check_input(Json::trusted(R"({"type": 7})"), Json::trusted("{}"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::corrupt);
  }
}
