#include <cstdint>
#include <map>

#include <doctest/doctest.h>

#include <weir/json.hpp>

namespace {
struct OrderLine {
  std::string sku;
  int cents;
  std::optional<double> weight;
};
WEIR_JSON(OrderLine, sku, cents, weight)

struct Plant {
  bool leaf;
  std::vector<Plant> children;
};
WEIR_JSON(Plant, leaf, children)

struct AllOptional {
  std::optional<int> a;
};
WEIR_JSON(AllOptional, a)

struct Empty {};
WEIR_JSON(Empty)
}  // namespace

TEST_SUITE("sdk: schema") {
  TEST_CASE("every kind of type has its schema at compile time") {
    static_assert(weir::schema<std::uint8_t>() == R"({"type":"integer"})");
    CHECK(weir::schema<float>() == R"({"type":"number"})");
    CHECK(weir::schema<std::string>() == R"({"type":"string"})");
    CHECK(weir::schema<bool>() == R"({"type":"boolean"})");
    CHECK(weir::schema<void>() == R"({"type":"null"})");
    CHECK(weir::schema<boost::json::value>() == "{}");
    CHECK(weir::schema<std::vector<int>>() == R"({"type":"array","items":{"type":"integer"}})");
    CHECK(weir::schema<std::array<bool, 3>>() ==
          R"({"type":"array","items":{"type":"boolean"},"minItems":3,"maxItems":3})");
    CHECK(
        weir::schema<std::pair<std::string, int>>() ==
        R"({"type":"array","items":[{"type":"string"},{"type":"integer"}],"minItems":2,"maxItems":2})");
    CHECK(weir::schema<std::map<std::string, int>>() ==
          R"({"type":"object","additionalProperties":{"type":"integer"}})");
    CHECK(weir::schema<std::optional<int>>() ==
          R"({"anyOf":[{"type":"integer"},{"type":"null"}]})");
  }

  TEST_CASE("members are required unless they are optional") {
    CHECK(weir::schema<OrderLine>() ==
          R"({"type":"object","properties":{"sku":{"type":"string"},"cents":{"type":"integer"},)"
          R"("weight":{"anyOf":[{"type":"number"},{"type":"null"}]}},"required":["sku","cents"]})");
    CHECK(weir::schema<AllOptional>() ==
          R"({"type":"object","properties":{"a":{"anyOf":[{"type":"integer"},{"type":"null"}]}}})");
    CHECK(weir::schema<Empty>() == R"({"type":"object","properties":{}})");
  }

  TEST_CASE("a type within itself is anything there") {
    CHECK(weir::schema<Plant>() ==
          R"({"type":"object","properties":{"leaf":{"type":"boolean"},)"
          R"("children":{"type":"array","items":{}}},"required":["leaf","children"]})");
  }
}
