#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "run/journal_row.hpp"
#include "unit/run/driven_run.hpp"

namespace weir {

// What the rules say of a journal, worked out each time from the rows alone, for every step from
// the first to the last: slow, and without a state that could go wrong. RunState is compared with
// it. Rows are added as they are committed.
class JournalOracle {
 public:
  enum class Phase { pending, unmet, begun, completed, skipped };

  JournalOracle(const FlowDefinition& definition, std::vector<StepOptions> options, Json input);

  void add(const JournalRow& row);
  void set_options(std::vector<StepOptions> options);
  void cancel();
  // weir.retry: opens the run again; what it journals, dated then. To be added by the caller.
  std::vector<JournalRow> retry(Time now);

  // Takes the decisions that are due (F5, F7). Whatever is asked of the oracle is asked after that.
  void decide();

  Phase phase(std::size_t step) const { return phases_[step]; }
  bool is_skipped(std::size_t step) const { return phase(step) == Phase::skipped; }
  bool has_ended(std::size_t step) const { return phase(step) >= Phase::completed; }
  std::size_t task_count(std::size_t step) const { return counts_[step]; }  // P3; 0: not begun
  int attempts(TaskId task) const;                                          // ended ones
  Json input_of(TaskId task) const;                                         // P2
  std::set<std::pair<TaskId, int>> ready() const;  // P1: to start, or under way
  std::set<std::size_t> waits() const;             // open ones
  const std::map<std::size_t, std::string>& skips() const { return skips_; }  // F8: and why
  std::optional<RunStatus> status() const;
  bool may_fail_with(std::size_t step) const;  // it is one of those that failed
  Json output() const;                         // P7, of a completed run

 private:
  struct Facts {
    int attempts = 0, charged = 0, lost = 0;
    Outcome last = Outcome::cancelled;
    bool violates_type = false;
    std::optional<Json> output;
    Time ended_at{};
  };
  const StepDefinition& step(std::size_t position) const { return definition_.steps()[position]; }
  void work_out();
  std::size_t count(std::size_t position) const;
  bool is_met(std::size_t position);
  Json given_to(std::size_t position) const;
  Json output_of(std::size_t position) const;
  bool is_given_up(TaskId task, const Facts& facts) const;
  bool fails_run(TaskId task, const Facts& facts) const;
  void skip(std::size_t position, std::string reason, Fallback fallback);

  const FlowDefinition& definition_;
  std::vector<StepOptions> options_;
  Json input_;
  std::map<TaskId, Facts> facts_;
  std::map<std::size_t, std::string> skips_;
  bool cancelled_ = false;
  std::map<std::size_t, bool> met_;  // conditions that were asked: what they are asked of stays
  std::vector<Phase> phases_;
  std::vector<std::size_t> counts_;
};

}  // namespace weir
