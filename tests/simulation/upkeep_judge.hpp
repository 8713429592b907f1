#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "simulation/simulated_database.hpp"

namespace weir::simulation {

// Checks what happens without a request: the ticks of schedules (C5), and what retention deletes
// (C7).
class UpkeepJudge {
 public:
  using Violated = std::function<void(std::string)>;

  void scheduled(const SimulatedDatabase& database, const std::string& name);
  void ticked(const SimulatedDatabase& database, const std::string& name, Time tick, bool created,
              const Violated& violated);
  // To be called after a tick() that was told of no tick to come.
  void check_all_ticked(const SimulatedDatabase& database, const Violated& violated) const;

  void prunes(const SimulatedDatabase& database, RunKey run, Duration age,
              const Violated& violated);
  void pruned(const SimulatedDatabase& database, RunKey run, const Violated& violated);

  std::size_t ticks() const noexcept { return started_.size(); }
  std::size_t deleted() const noexcept { return deleted_; }

 private:
  std::map<std::string, Time> expected_;  // the next tick of each schedule
  std::set<std::pair<std::string, Time>> started_;
  std::size_t deleted_ = 0;
};

}  // namespace weir::simulation
