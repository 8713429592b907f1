#include "base/iso8601.hpp"

#include <doctest/doctest.h>

using namespace weir;
using namespace std::chrono_literals;

TEST_SUITE("base: times") {
  TEST_CASE("a time is written to the microsecond in UTC, also before 1970") {
    CHECK(iso8601(Time{1'795'225'442'123'456us}) == "2026-11-21T01:44:02.123456Z");
    CHECK(iso8601(Time{1us}) == "1970-01-01T00:00:00.000001Z");
    CHECK(iso8601(Time{-1us}) == "1969-12-31T23:59:59.999999Z");
  }
}
