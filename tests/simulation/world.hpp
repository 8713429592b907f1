#pragma once
#include <functional>
#include <optional>

#include "simulation/fault_rates.hpp"
#include "simulation/features.hpp"
#include "simulation/judge.hpp"
#include "simulation/simulated_database.hpp"
#include "simulation/stage.hpp"

namespace weir::simulation {

class Host;

// What all parts of one schedule share.
struct World {
  World(std::uint64_t seed, Mistake planted);
  void notify(const std::function<void(Host&)>& deliver);

  // What the database server has of its data, and what the judge knows of it.
  struct Copy {
    Tables tables;
    Judge judge;
  };
  Copy copy() const { return {database.tables(), judge}; }

  // The server crashes, and loses what nobody waits for since the last commit that somebody waited
  // for; or a standby with this data takes its place. All sessions break.
  void crash(Duration down, std::optional<Copy> standby = {});
  bool is_database_up() const { return stage.now() >= database_up_at; }

  const Mistake mistake;
  Random random;
  FaultRates faults;
  Features features;
  Stage stage{random};
  Judge judge;
  std::vector<Host*> hosts;  // that are alive
  // Called after a commit that nobody waits for. Null: no crash is near, and what one would lose does
  // not matter.
  std::function<void()> crash_after;
  std::optional<Copy> durable;  // what a crash would leave, if that is less than there is
  Time database_up_at{};
  int database_lives = 1;
  std::uint64_t deferred = 0, refused_completions = 0;
  std::uint64_t crashes = 0, lossy_crashes = 0, failovers = 0;
  std::uint64_t rows_locked = 0, large_writes = 0, withdrawn_writes = 0, overlapped_exchanges = 0;
  SimulatedDatabase database;
};

}  // namespace weir::simulation
