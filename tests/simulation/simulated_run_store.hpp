#pragma once
#include <memory>
#include <mutex>

#include "simulation/simulated_database.hpp"

namespace weir::simulation {

// A client's session with the simulated database, each call under `mutex`. It has runs and
// versions; steps, plugins, schedules and filters by value are not simulated. Both arguments must
// outlive it.
std::unique_ptr<RunStore> simulated_run_store(SimulatedDatabase& database, std::mutex& mutex);

}  // namespace weir::simulation
