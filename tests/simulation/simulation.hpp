#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulation/mistake.hpp"
#include "simulation/tally.hpp"

namespace weir::simulation {

// The result of one schedule.
struct Verdict {
  std::vector<std::string> violations;  // none: all rules held
  Tally tally;
  double virtual_seconds = 0;
};

// Runs one schedule, which depends only on the seed: flows, hosts, starts, and faults for up to a
// minute; then the faults end, and every run must end.
Verdict simulate(std::uint64_t seed, Mistake mistake = Mistake::none);

}  // namespace weir::simulation
