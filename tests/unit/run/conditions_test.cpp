#include "run/conditions.hpp"

#include <doctest/doctest.h>

#include "unit/run/driven_run.hpp"

using namespace weir;

namespace {

bool contains(std::string_view value, std::string_view pattern) {
  return weir::contains(json(value), json(pattern));
}

}  // namespace

// Each answer is PostgreSQL's own; tests/conformance/postgres/containment_test.cpp asks it.
TEST_SUITE("run: conditions") {
  TEST_CASE("F7: an object contains what has no member that it lacks") {
    CHECK(contains(R"({"a": 1, "b": [2, 3]})", R"({"a": 1})"));
    CHECK(contains(R"({"a": 1})", "{}"));
    CHECK(contains("{}", "{}"));
    CHECK(contains(R"({"a": {"b": {"c": 1, "d": 2}}})", R"({"a": {"b": {"d": 2}}})"));
    CHECK_FALSE(contains(R"({"a": 1})", R"({"a": 2})"));
    CHECK_FALSE(contains(R"({"a": 1})", R"({"a": 1, "b": 2})"));
    CHECK_FALSE(contains(R"({"a": {"b": 1}})", R"({"b": 1})"));
    CHECK_FALSE(contains("{}", R"({"a": null})"));
    CHECK(contains(R"({"a": null})", R"({"a": null})"));
  }

  TEST_CASE("F7: an array contains what has no element that it lacks in whatever order") {
    CHECK(contains("[1, 2, 3]", "[3, 1]"));
    CHECK(contains("[1, 2]", "[1, 1, 1]"));
    CHECK(contains("[1]", "[]"));
    CHECK(contains("[]", "[]"));
    CHECK_FALSE(contains("[1, 2]", "[4]"));
    CHECK(contains(R"([{"a": 1, "b": 2}, 3])", R"([{"a": 1}])"));
    CHECK_FALSE(contains(R"([{"a": 1}, {"b": 2}])", R"([{"a": 1, "b": 2}])"));
    CHECK(contains("[[1, 2], [3]]", "[[2], [3]]"));
    CHECK_FALSE(contains("[1, 2]", "[[1]]"));
  }

  TEST_CASE("F7: an array at the top alone contains a single value") {
    CHECK(contains("[1, 2]", "1"));
    CHECK(contains(R"(["a"])", R"("a")"));
    CHECK(contains("[null]", "null"));
    CHECK_FALSE(contains("[[1]]", "1"));
    CHECK_FALSE(contains(R"({"a": [1]})", R"({"a": 1})"));
    CHECK_FALSE(contains("[[1]]", "[1]"));
    CHECK_FALSE(contains("1", "[1]"));
    CHECK_FALSE(contains("1", "[]"));
    CHECK_FALSE(contains(R"([{"a": 1}])", R"({"a": 1})"));
    CHECK_FALSE(contains(R"({"a": 1})", "[]"));
  }

  TEST_CASE("F7: single values contain themselves alone") {
    CHECK(contains("null", "null"));
    CHECK(contains("true", "true"));
    CHECK_FALSE(contains("true", "false"));
    CHECK_FALSE(contains("null", "false"));
    CHECK_FALSE(contains(R"("1")", "1"));
    CHECK_FALSE(contains("0", "null"));
  }

  TEST_CASE("F7: numbers are compared by value to the last digit") {
    CHECK(contains("1", "1.0"));
    CHECK(contains("100", "1e2"));
    CHECK(contains("0.5", "5E-1"));
    CHECK(contains("-0.0", "0"));
    CHECK(contains("0e5", "0"));
    CHECK(contains("120", "12e+1"));
    CHECK(contains("1230.0e-3", "1.23"));
    CHECK_FALSE(contains("1", "-1"));
    CHECK_FALSE(contains("9007199254740993", "9007199254740992"));
    CHECK_FALSE(contains("18446744073709551616", "18446744073709551615"));
    CHECK_FALSE(contains("0.1", "0.1000000000000000055"));
    CHECK_FALSE(contains("1e300", "1e301"));
  }

  TEST_CASE("F7: strings and keys are compared by what they say not by how they are written") {
    CHECK(contains(R"({"\u0061": "\u00e9\/"})", R"({"a": "é/"})"));
    CHECK(contains(R"("\ud83c\udf0a")", R"("🌊")"));
    CHECK_FALSE(contains(R"("é")", "\"e\u0301\""));
    CHECK_FALSE(contains(R"({"A": 1})", R"({"a": 1})"));
  }

  TEST_CASE("F7: of a doubled key the last value counts") {
    CHECK(contains(R"({"a": 1, "a": 2})", R"({"a": 2})"));
    CHECK_FALSE(contains(R"({"a": 1, "a": 2})", R"({"a": 1})"));
    CHECK(contains(R"({"a": 2})", R"({"a": 1, "a": 2})"));
  }

  TEST_CASE("F7: values as deep as any are compared") {
    std::string deep;
    for (std::size_t i = 0; i < Json::depth_max; ++i) deep += '[';
    deep.append(Json::depth_max, ']');
    CHECK(contains(deep, deep));
  }

  TEST_CASE("F7: with both conditions both must hold") {
    const StepConditions both{.only_if = json(R"({"vip": true})"),
                              .unless = json(R"({"blocked": true})")};
    CHECK(unmet(both, json(R"({"vip": true})")) == std::nullopt);
    CHECK(unmet(both, json(R"({"vip": false})")) == R"(does not contain {"vip": true})");
    CHECK(unmet(both, json(R"({"vip": true, "blocked": true})")) ==
          R"(contains {"blocked": true})");
    CHECK(unmet({}, json("null")) == std::nullopt);
  }

  TEST_CASE("F7: a long pattern is told by its beginning") {
    const StepConditions conditions{.only_if = Json::string(std::string(1'000, 'x'))};
    CHECK(unmet(conditions, json("1")) == "does not contain \"" + std::string(199, 'x') + "…");
  }
}
