#include "worker/duties.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace weir;

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr Steady nap_start{1'000'000ms};

Duty due_in(std::optional<Steady::duration> time) {
  return {
      .name = "",
      .turn = [](Steady) { return Result<void>(); },
      .due_at = [time](Steady from) { return time ? std::optional(from + *time) : std::nullopt; }};
}

milliseconds nap(std::vector<Duty> duties) { return Duties(std::move(duties)).nap(nap_start, 60s); }

}  // namespace

TEST_SUITE("worker: duties") {
  TEST_CASE("duties take their turns in their order and the first that fails ends the round") {
    std::string turns;
    const auto duty = [&](std::string_view name, bool fails = false) {
      return Duty{.name = name,
                  .turn = [&turns, name, fails](Steady) -> Result<void> {
                    turns += name;
                    if (fails) return std::unexpected(Error{.code = ErrorCode::lease_lost});
                    return {};
                  },
                  .due_at = [](Steady) { return std::nullopt; }};
    };
    CHECK(Duties({duty("a"), duty("b"), duty("c")}).take_turns(nap_start).has_value());
    CHECK(turns == "abc");
    const auto failed = Duties({duty("d"), duty("e", true), duty("f")}).take_turns(nap_start);
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().code == ErrorCode::lease_lost);
    CHECK(turns == "abcde");
  }

  TEST_CASE("a loop sleeps until the first of its duties is due") {
    CHECK(nap({due_in(5s), due_in(2s), due_in(3s)}) == 2s);
    CHECK(nap({due_in({}), due_in(7s), due_in({})}) == 7s);
  }

  TEST_CASE("a loop whose duties are never due sleeps as long as it may") {
    CHECK(nap({}) == 60s);
    CHECK(nap({due_in({}), due_in(Steady::max() - nap_start)}) == 60s);
    CHECK(nap({due_in(61s)}) == 60s);
  }

  TEST_CASE(
      "what is due already is waited for a millisecond and a fraction counts as a whole one") {
    CHECK(nap({due_in(0s)}) == 1ms);
    CHECK(nap({due_in(-5s)}) == 1ms);
    CHECK(nap({due_in(10ms + 1ns)}) == 11ms);
  }

  TEST_CASE("no duty is slept over by more than a millisecond") {
    std::mt19937_64 random(20'261'122);
    for (int round = 0; round < 1'000; ++round) {
      std::vector<Duty> duties;
      std::optional<Steady::duration> first;
      for (auto count = random() % 8; count > 0; --count) {
        std::optional<Steady::duration> time;
        if (random() % 4 != 0)
          time = std::chrono::microseconds(static_cast<std::int64_t>(random() % 90'000'000) -
                                           1'000'000);
        if (time) first = std::min(first.value_or(*time), *time);
        duties.push_back(due_in(time));
      }
      const milliseconds slept = nap(std::move(duties));
      CHECK(slept >= 1ms);
      CHECK(slept <= 60s);
      if (first && *first < 60s) CHECK(slept <= std::max<Steady::duration>(*first, 0ns) + 1ms);
    }
  }
}
