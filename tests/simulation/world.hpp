#pragma once
#include "simulation/judge.hpp"
#include "simulation/simulated_database.hpp"
#include "simulation/stage.hpp"
#include "simulation/weather.hpp"

namespace weir::simulation {

class Host;

// What all parts of one schedule share.
struct World {
  World(std::uint64_t seed, Mistake mistake);
  void notify(const std::function<void(Host&)>& hear);

  Random random;
  Weather weather;
  Stage stage{random};
  Judge judge;
  std::vector<Host*> hosts;  // that live
  SimulatedDatabase database;
};

}  // namespace weir::simulation
