#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulation/mistake.hpp"

namespace weir::simulation {

// What became of one schedule.
struct Verdict {
  std::vector<std::string> violations;  // none: all rules held
  std::size_t runs = 0, attempts = 0, events = 0;
  double virtual_seconds = 0;
};

// One schedule, drawn from the seed and from nothing else: flows, hosts, starts, and what goes
// wrong for a minute or so; then the weather clears up, and every run must end.
Verdict simulate(std::uint64_t seed, Mistake mistake = Mistake::none);

}  // namespace weir::simulation
