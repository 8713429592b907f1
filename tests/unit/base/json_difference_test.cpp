#include "base/json_difference.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace {

// "POINTER: BEFORE -> AFTER", or "" for the same value.
std::string difference(std::string_view before, std::string_view after) {
  const auto found = weir::first_difference(weir::Json::parse(std::string(before)).value(),
                                            weir::Json::parse(std::string(after)).value());
  return found ? found->pointer + ": " + found->before + " -> " + found->after : "";
}

}  // namespace

TEST_SUITE("base: differences of JSON") {
  TEST_CASE("P8: white space and the order of keys do not count") {
    CHECK(difference(R"({"a": 1, "b": [true]})", R"({"b":[true],"a":1})") == "");
    CHECK(difference("1", "1.0") == "");
    CHECK(difference("null", "null") == "");
  }

  TEST_CASE("the first place is told by its pointer") {
    CHECK(difference("1", "2") == ": 1 -> 2");
    CHECK(difference(R"({"a":{"b":[1,2]}})", R"({"a":{"b":[1,3]}})") == "/a/b/1: 2 -> 3");
    CHECK(difference(R"({"a/b~":1})", R"({"a/b~":"1"})") == R"(/a~1b~0: 1 -> "1")");
    CHECK(difference("9007199254740993", "9007199254740992") ==
          ": 9007199254740993 -> 9007199254740992");
  }

  TEST_CASE("what is missing on one side is told as nothing") {
    CHECK(difference(R"({"a":1})", "{}") == "/a: 1 -> ");
    CHECK(difference("{}", R"({"a":1})") == "/a:  -> 1");
    CHECK(difference("[1]", "[1,2]") == "/1:  -> 2");
    CHECK(difference("[1,2]", "[1]") == "/1: 2 -> ");
  }

  TEST_CASE("a long value is shortened between two characters") {
    const std::string text(70, 'x');
    const std::string shown = difference("\"" + text + "\"", "1");
    CHECK(shown.contains("…"));
    CHECK(shown.size() < 80);
  }
}
