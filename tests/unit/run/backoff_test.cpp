#include "run/backoff.hpp"

#include <set>

#include <doctest/doctest.h>

using namespace weir;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t some_run = 42;
constexpr TaskId some_task{3, 1'000};

StepOptions delays(std::chrono::milliseconds base, std::chrono::milliseconds max) {
  StepOptions options;
  options.base_delay = base;
  options.max_delay = max;
  return options;
}

}  // namespace

TEST_SUITE("run: backoff") {
  TEST_CASE(
      "F2: the wait is base_delay times two to the charged failures and at most a tenth more") {
    const StepOptions options = delays(1s, 24h);
    Duration expected = 2s;
    for (int charged = 1; charged <= 12; ++charged, expected *= 2) {
      const Duration wait = backoff(options, some_run, some_task, charged);
      CHECK(wait >= expected);
      CHECK(wait <= expected + expected / 10);
    }
  }

  TEST_CASE("F2: no wait is longer than max_delay") {
    for (const int charged : {1, 5, 12, 13, 20, 62, 63, 64, 65, 1'000, 2'000'000'000})
      CHECK(backoff(delays(1s, 1h), some_run, some_task, charged) <= Duration(1h));
    CHECK(backoff(delays(1s, 1h), some_run, some_task, 12) == Duration(1h));
    CHECK(backoff(delays(24h, 1s), some_run, some_task, 1) == Duration(1s));
    CHECK(backoff(delays(1s, 0s), some_run, some_task, 1) == Duration(0));
  }

  TEST_CASE("F2: failure 1000 with the longest delays does not overflow") {
    const StepOptions longest = delays(24h, 24h * 365);
    CHECK(backoff(longest, some_run, some_task, 1'000) == Duration(24h * 365));
    CHECK(backoff(delays(1ms, 24h * 365), some_run, some_task, 1'000) == Duration(24h * 365));
  }

  TEST_CASE("F2: without a base delay there is no wait") {
    for (const int charged : {1, 2, 64, 1'000})
      CHECK(backoff(delays(0ms, 1h), some_run, some_task, charged) == Duration(0));
  }

  TEST_CASE("F2: the spread depends on run and task and charged failures alone") {
    const StepOptions options = delays(1s, 1h);
    CHECK(backoff(options, some_run, some_task, 3) == backoff(options, some_run, some_task, 3));
    CHECK(backoff(options, some_run, some_task, 3) != backoff(options, some_run + 1, some_task, 3));
    CHECK(backoff(options, some_run, some_task, 3) != backoff(options, some_run, {3, 1'001}, 3));
    CHECK(backoff(options, some_run, some_task, 3) != backoff(options, some_run, {4, 1'000}, 3));
  }

  TEST_CASE("F2: the elements of a map that failed together come back spread out") {
    const StepOptions options = delays(1s, 1h);
    std::set<Duration> waits;
    Duration sum{0};
    for (std::size_t index = 0; index < 1'000; ++index) {
      const Duration wait = backoff(options, some_run, {0, index}, 1);
      waits.insert(wait);
      sum += wait - Duration(2s);
    }
    CHECK(waits.size() > 500);
    CHECK(sum / 1'000 > Duration(90ms));
    CHECK(sum / 1'000 < Duration(110ms));
  }
}
