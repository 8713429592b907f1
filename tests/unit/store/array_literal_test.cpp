#include "store/postgres/array_literal.hpp"

#include <cstdint>

#include <doctest/doctest.h>

using namespace weir;
using namespace weir::postgres;
using namespace std::chrono_literals;

TEST_SUITE("postgres: literals") {
  TEST_CASE("an array of nothing") { CHECK(ArrayLiteral().text() == "{}"); }

  TEST_CASE("numbers stand bare and NULL is no text") {
    ArrayLiteral array;
    array.add(std::int16_t{-1});
    array.add_null();
    array.add(std::int64_t{9'223'372'036'854'775'807});
    CHECK(array.text() == "{-1,NULL,9223372036854775807}");
  }

  TEST_CASE("quotes and backslashes are escaped and nothing else") {
    ArrayLiteral array;
    array.add_text("");
    array.add_text("NULL");
    array.add_text(R"({"a": "b\n"},)");
    CHECK(array.text() == R"({"","NULL","{\"a\": \"b\\n\"},"})");
  }

  TEST_CASE("a literal may be read while it grows") {
    ArrayLiteral array;
    array.add(1);
    CHECK(array.text() == "{1}");
    array.add(2);
    CHECK(array.text() == "{1,2}");
  }

  TEST_CASE("times have microseconds and stand in UTC") {
    ArrayLiteral array;
    array.add(Time{1'795'225'442'123'456us});
    CHECK(array.text() == R"({"2026-11-21T01:44:02.123456Z"})");
  }
}
