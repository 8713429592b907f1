#pragma once
#include <map>
#include <set>
#include <vector>

#include "run/run_state.hpp"
#include "unit/run/journal_oracle.hpp"
#include "unit/run/random_flow.hpp"

namespace weir {

// One random run of a flow, from its start to its end, with everything that can happen to it on the
// way; what RunState says is held against the rules at every turn. Fails the test by REQUIRE.
class SimulatedRun {
 public:
  SimulatedRun(const FlowDefinition& definition, Random& random);

  void live();

 private:
  using Attempt = std::pair<TaskId, int>;

  void gather();
  void start();
  void settle();
  void settle(Attempt attempt, AttemptResult result);
  AttemptResult random_result(TaskId task);
  void pass_time();
  void crash();
  void offer_impossible_row();
  void end();
  void agree_with_folds() const;
  RunState folded(const std::vector<JournalRow>& rows) const;

  const FlowDefinition& definition_;
  Random& random_;
  std::vector<StepOptions> options_;
  Json input_;
  Time now_ = DrivenRun::begin;
  RunState state_;
  JournalOracle oracle_;
  std::vector<JournalRow> journal_;  // as committed
  std::map<Attempt, Time> waiting_;  // ready and not started, with not_before
  std::map<Attempt, Time> in_flight_;
  std::set<Attempt> started_;  // and not given back
};

}  // namespace weir
