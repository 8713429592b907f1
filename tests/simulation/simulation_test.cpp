#include "simulation/simulation.hpp"

#include <cstdlib>

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace weir::simulation;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

TEST_SUITE("simulation") {
  TEST_CASE(
      "L2, P1, F1, F11: no schedule of workers and faults breaks a rule or leaves a run open") {
    const std::uint64_t first = from_environment("WEIR_SEED", 1);
    const std::uint64_t count = from_environment("WEIR_SEEDS", 30);
    Tally tally;
    double seconds = 0;
    for (std::uint64_t seed = first; seed - first < count; ++seed) {
      const Verdict outcome = simulate(seed);
      std::string violations;
      for (const std::string& each : outcome.violations) violations += "\n  " + each;
      CHECK_MESSAGE(outcome.violations.empty(), "seed " << seed
                                                        << ", again with: script/simulate 1 --from "
                                                        << seed << violations);
      tally += outcome.tally;
      seconds += outcome.virtual_seconds;
    }
    // Or the schedules no longer show what they are to show.
    for (const auto& [name, column] : Tally::columns)
      CHECK_MESSAGE((count < 30 || tally.*column > 0), name);
    MESSAGE(count << " seeds from " << first << ": " << described(tally) << ", " << seconds
                  << " s of virtual time");
  }
}
