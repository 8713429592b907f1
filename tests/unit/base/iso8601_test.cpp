#include "base/iso8601.hpp"

#include <string_view>

#include <doctest/doctest.h>

using namespace weir;
using namespace std::chrono_literals;

TEST_SUITE("base: times") {
  TEST_CASE("a time is written to the microsecond in UTC, also before 1970") {
    CHECK(iso8601(Time{1'795'225'442'123'456us}) == "2026-11-21T01:44:02.123456Z");
    CHECK(iso8601(Time{1us}) == "1970-01-01T00:00:00.000001Z");
    CHECK(iso8601(Time{-1us}) == "1969-12-31T23:59:59.999999Z");
  }

  TEST_CASE("a time that is no year of four digits is written as the first or the last of them") {
    CHECK(iso8601(Time::min()) == "0000-01-01T00:00:00.000000Z");
    CHECK(iso8601(Time::max()) == "9999-12-31T23:59:59.999999Z");
    const Time days_of_67562 = Time{} + std::chrono::days(365'2425LL * (67'562 - 1970) / 10'000);
    CHECK(iso8601(days_of_67562) == "9999-12-31T23:59:59.999999Z");
  }

  TEST_CASE("a time is read as people write it") {
    const auto read = [](std::string_view text) {
      const auto time = parse_iso8601(text);
      return time ? iso8601(*time) : "none";
    };
    CHECK(read("2026-11-21") == "2026-11-21T00:00:00.000000Z");
    CHECK(read("2026-11-21 18:05") == "2026-11-21T18:05:00.000000Z");
    CHECK(read("2026-11-21T18:05:06Z") == "2026-11-21T18:05:06.000000Z");
    CHECK(read("2026-11-21T18:05:06.123456Z") == "2026-11-21T18:05:06.123456Z");
    CHECK(read("2026-11-21T18:05:06.5+01:30") == "2026-11-21T16:35:06.500000Z");
    CHECK(read("2026-11-21 00:30-0100") == "2026-11-21T01:30:00.000000Z");
    CHECK(read("2026-11-21 00:30+14") == "2026-11-20T10:30:00.000000Z");
    for (const char* const text :
         {"", "2026", "2026-13-01", "2026-02-29", "2026-11-21T", "2026-11-21 24:00",
          "2026-11-21 1:00", "2026-11-21 10:00:00.", "2026-11-21 10:00 Z", "2026-11-21 10:00+1",
          "-026-11-21", "2026-11-21 10:00Zx", "tomorrow"})
      CHECK_MESSAGE(read(text) == "none", text);
  }
}
