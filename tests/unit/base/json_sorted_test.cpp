#include "base/json_sorted.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace weir {
namespace {

std::string sorted_text(std::string_view text) {
  return std::string(sorted(Json::parse(std::string(text)).value()).text());
}

}  // namespace

TEST_SUITE("base: JSON in one order") {
  TEST_CASE("two spellings of a value become one text") {
    CHECK(sorted_text(R"( { "b" : [ 1, {"z":null,"a":true} ], "a" : "x" } )") ==
          R"({"a":"x","b":[1,{"a":true,"z":null}]})");
    CHECK(sorted_text(R"({"\u0061":"\u0041\/\"\n","a\"":1})") == R"({"a":"A/\"\n","a\"":1})");
    CHECK(sorted_text("[ ]") == "[]");
    CHECK(sorted_text("{ }") == "{}");
    CHECK(sorted_text(" false ") == "false");
  }

  TEST_CASE("P8: numbers stay as they are spelled") {
    CHECK(sorted_text("[0.1, 1.0, 1e2, 18446744073709551615]") ==
          "[0.1,1.0,1e2,18446744073709551615]");
  }

  TEST_CASE("of doubled keys the last counts as in jsonb") {
    CHECK(sorted_text(R"({"a":1,"b":2,"a":3})") == R"({"a":3,"b":2})");
  }
}

}  // namespace weir
