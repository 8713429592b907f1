#pragma once
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "definition/flow_definition.hpp"
#include "simulation/host.hpp"
#include "simulation/world.hpp"

namespace weir::simulation {

// The events of one schedule: it makes flows and hosts, starts runs, and injects faults.
class Schedule {
 public:
  Schedule(World& world);

  // Schedules its first events.
  void begin();

  // From now on hosts and requests have no faults; handlers may still fail.
  void end_faults();

  // Whether every run has ended.
  bool is_over() const;

  std::size_t runs() const {
    return world_.database.tables().runs.size() + world_.judge.upkeep().deleted();
  }

 private:
  void draw_fault_rates();
  void draw_flows();
  void add_host();
  void start_runs();
  void inject_faults();
  void new_version();
  void change_limits();
  void put_schedules();
  void run_ticker();
  Duration outage();
  void crash_database();
  void fail_over();
  void run_retention(Duration age, std::size_t batch, RunKey after);
  void command(const std::string& run);
  Json input_for(const std::string& slug);

  World& world_;
  Random& random_;
  bool faults_enabled_ = true;
  std::vector<FlowDraft> drafts_;       // newest of each flow
  std::vector<FlowDefinition> loaded_;  // all versions, in their order
  std::vector<std::unique_ptr<Host>> hosts_;
  std::size_t starts_left_ = 0;
  std::map<std::pair<std::string, std::string>, std::set<std::string>>
      keys_;  // runs by slug and key
};

}  // namespace weir::simulation
