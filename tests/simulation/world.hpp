#pragma once
#include "simulation/fault_rates.hpp"
#include "simulation/features.hpp"
#include "simulation/judge.hpp"
#include "simulation/simulated_database.hpp"
#include "simulation/stage.hpp"

namespace weir::simulation {

class Host;

// What all parts of one schedule share.
struct World {
  World(std::uint64_t seed, Mistake mistake);
  void notify(const std::function<void(Host&)>& deliver);

  Random random;
  FaultRates faults;
  Features features;
  Stage stage{random};
  Judge judge;
  std::vector<Host*> hosts;  // that are alive
  std::uint64_t rows_locked = 0, large_writes = 0, withdrawn_writes = 0;
  SimulatedDatabase database;
};

}  // namespace weir::simulation
