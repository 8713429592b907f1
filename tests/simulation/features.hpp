#pragma once
#include "simulation/fault_rates.hpp"
#include "unit/run/random_flow.hpp"

namespace weir::simulation {

// What a schedule has beside runs, workers and faults. Each is drawn from the seed, so that many
// schedules have none of them, or one.
struct Features {
  bool sharing = false;  // some maps are wide, and workers share them (L7)

  bool settlements =
      false;               // some handlers settle their attempts in transactions of their own (C9)
  bool deferred = false;   // some handlers defer their calls (A1)
  bool limits = false;     // flows have limits, which change now and then (C6)
  bool schedules = false;  // runs are started by schedules (C5)
  bool retention = false;  // runs are deleted soon after they ended (C7)
  bool large = false;      // some outputs are written beside the exchanges
  bool crashes = false;    // the database server crashes, and comes up again a while later
  bool failover = false;   // a standby takes over once, and lacks the last commits

  static Features drawn(Random& random) {
    return {.sharing = one_in(3, random),
            .settlements = one_in(3, random),
            .deferred = one_in(3, random),
            .limits = one_in(3, random),
            .schedules = one_in(3, random),
            .retention = one_in(3, random),
            .large = one_in(3, random),
            .crashes = one_in(3, random),
            .failover = one_in(4, random)};
  }

  // An array for a map to run over.
  Json array(Random& random) const {
    if (!sharing || one_in(2, random)) return random_array(random);
    std::vector<Json> elements;
    for (std::size_t count = below(40, random); count > 0; --count)
      elements.push_back(Json::number(static_cast<int>(count)));
    return Json::array(elements);
  }
};

}  // namespace weir::simulation
