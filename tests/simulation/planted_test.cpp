#include <doctest/doctest.h>
#include <fmt/core.h>

#include "simulation/simulation.hpp"

using namespace weir::simulation;

TEST_SUITE("simulation") {
  TEST_CASE("a store that breaks a rule on purpose is found out within a thousand seeds") {
    constexpr std::uint64_t seeds_max = 1'000;
    for (const auto& [mistake, name] : mistakes) {
      std::uint64_t seed = 1;
      Verdict verdict;
      for (; seed <= seeds_max && verdict.violations.empty(); ++seed)
        verdict = simulate(seed, mistake);
      REQUIRE_MESSAGE(!verdict.violations.empty(), "planted and not found: " << name);
      MESSAGE("planted: " << name << " found with seed " << seed - 1 << ": "
                          << verdict.violations.front());
    }
  }
}
