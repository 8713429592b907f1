#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "run/run_state.hpp"
#include "unit/run/journal_oracle.hpp"
#include "unit/run/random_flow.hpp"

namespace weir {

// One random run of a flow, from its start to its end, with everything that can happen to it on the
// way: attempts that end in any way and order, several between two questions; signals and times
// that are over; workers that vanish or drain, options that change, rows that cannot be, a cancel,
// a retry of what failed. What RunState says is held against the rules at every turn. Fails the
// test.
class SimulatedRun {
 public:
  SimulatedRun(const FlowDefinition& definition, Random& random);

  void live();

 private:
  using Attempt = std::pair<TaskId, int>;

  void live_until_end();
  void gather();
  void take_ready();
  void take_skips();
  void take_step_ends();
  void start();
  void settle();
  void settle(Attempt attempt, AttemptResult result);
  void end_wait();
  AttemptResult random_result(TaskId task);
  void pass_time();
  void crash();
  void offer_impossible_row();
  void cancel();
  void end();
  bool retry();
  void agree_with_folds() const;
  RunState folded(const std::vector<JournalRow>& rows) const;

  const FlowDefinition& definition_;
  Random& random_;
  std::vector<StepOptions> options_;
  Json input_;
  Time now_ = DrivenRun::begin;
  RunState state_;
  JournalOracle oracle_;
  bool is_restless_;  // its workers vanish all the time
  bool cancelled_ = false;
  int retries_left_ = 2;
  std::vector<JournalRow> journal_;  // as committed
  std::map<Attempt, Time> waiting_;  // ready and not started, with not_before
  std::map<Attempt, Time> in_flight_;
  std::set<std::size_t> ended_;  // steps, as reported
};

}  // namespace weir
