#include "base/retry_log.hpp"

#include <doctest/doctest.h>

#include "support/log_lines.hpp"

using namespace weir;
using namespace std::chrono_literals;

namespace {

Error unavailable(const char* kind) {
  return {.code = ErrorCode::unavailable, .kind = kind, .message = kind, .hint = {}};
}

}  // namespace

TEST_SUITE("base: retries in the log") {
  TEST_CASE("an error is told once, another kind of error again, and the end of both") {
    const testing::LogLines lines;
    const auto log = lines.log();
    RetryLog told(*log, "cannot join", "can join again");
    const RetryLog::Steady begin{};
    told.succeeded(begin);
    CHECK(lines.with_levels().empty());
    for (const auto& [after, kind] :
         {std::pair(0s, "away"), std::pair(1s, "away"), std::pair(2s, "pooled"),
          std::pair(3s, "pooled"), std::pair(4s, "away"), std::pair(5s, "away")})
      told.failed(unavailable(kind), begin + after);
    told.succeeded(begin + 6500ms);
    told.succeeded(begin + 7s);
    told.failed(unavailable("away"), begin + 8s);
    CHECK(lines.with_levels() ==
          "warning: cannot join, retrying: away\n"
          "warning: cannot join, retrying: pooled\n"
          "warning: cannot join, retrying: away\n"
          "info: can join again after 6.5 s\n"
          "warning: cannot join, retrying: away\n");
  }
}
