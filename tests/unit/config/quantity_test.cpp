#include "config/quantity.hpp"

#include <limits>

#include <doctest/doctest.h>

using namespace weir;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("config: quantities");

TEST_CASE("durations have a whole number and a unit") {
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("2s") == 2s);
  CHECK(parse_duration("5m") == 5min);
  CHECK(parse_duration("1h") == 1h);
  CHECK(parse_duration("1d") == 24h);
  CHECK(parse_duration("0s") == 0s);
  for (const char* text :
       {"", "5", "s", "-5s", "+5s", "1.5s", "5 s", "5S", "5sec", "0x5s", "5s ", "∞"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("sizes have a whole number and a binary unit") {
  CHECK(parse_size("0B") == 0);
  CHECK(parse_size("64KiB") == 65'536);
  CHECK(parse_size("16MiB") == 16'777'216);
  CHECK(parse_size("1GiB") == 1'073'741'824);
  for (const char* text : {"", "16", "16MB", "16mib", "1.5GiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("a number beyond the type is the greatest of the type and never wraps") {
  CHECK(parse_size("99999999999999999999GiB") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_size("9223372036854775807KiB") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_duration("106751991168d") == std::chrono::milliseconds::max());
}

TEST_CASE("what is written is read back") {
  for (const char* text : {"0s", "1ms", "999ms", "15s", "90m", "1h", "36h", "365d"}) {
    CAPTURE(text);
    CHECK(written(*parse_duration(text)) == text);
  }
  CHECK(written(90'000ms) == "90s");
  for (const char* text : {"0B", "1B", "1000B", "64KiB", "16MiB", "3GiB"}) {
    CAPTURE(text);
    CHECK(written_size(*parse_size(text)) == text);
  }
}
