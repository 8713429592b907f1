#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "simulation/limit_judge.hpp"
#include "simulation/simulated_database.hpp"
#include "simulation/upkeep_judge.hpp"
#include "step/attempt.hpp"

namespace weir::simulation {

// Checks everything that is committed, and everything that handlers do, against the rules. What
// breaks a rule is a violation, described in words. For each run it folds only what is committed.
class Judge final : public Witness {
 public:
  // To be called once, before anything is committed.
  void watch(const SimulatedDatabase& database) { database_ = &database; }

  // A handler begins, or ends with a result, an attempt that a worker's loop gave it.
  void attempt_began(const Attempt& attempt, double clock_rate);
  void attempt_ended(const Attempt& attempt, const AttemptResult& result);

  // A handler requests to settle its attempt itself, with this output (C9).
  void settlement_requested(const Attempt& attempt, const Json& output);

  // The database server has crashed, comes up again at `up_at`, and has lost what was committed after
  // this judge was copied: what it lost has not happened. Handlers that ran did run.
  void restore(const Judge& past);
  // To be called then, whatever it lost. `standby`: it may be what its workers had waited for.
  void database_crashed(Time up_at, bool standby);
  void database_is_up(Time since) { database_up_at_ = std::min(database_up_at_, since); }
  std::size_t resumptions() const noexcept { return resumptions_; }

  // The schedule has just made a tick() of its own.
  void check_all_ticked();

  // The schedule requested that this run is cancelled.
  void cancel_requested(RunKey run) { cancelled_.insert(run); }

  // A worker was told these rows of a run, which others journaled.
  void told(WorkerId worker, RunKey run, std::span<const JournalRow> rows);

  void violated(std::string what);
  const std::vector<std::string>& violations() const noexcept { return violations_; }
  std::size_t attempts() const noexcept { return executions_.size(); }
  std::size_t settlements() const noexcept { return settled_.size(); }
  const UpkeepJudge& upkeep() const noexcept { return upkeep_; }
  std::size_t limited_claims() const noexcept { return limits_.claims(); }
  std::size_t shares() const noexcept { return shares_; }  // how often one was taken

  void opened(RunKey run) override;
  void before_exchange(const ExchangeRequest& request) override;
  void commit_begins() override { ++commits_; }
  void journaled(RunKey run, const JournalRow& row, WorkerId worker, bool told,
                 Time stated) override;
  void settled(RunKey run, TaskId task, int attempt) override;
  void claimed(const std::vector<RunKey>& runs) override;
  void limited(FlowId flow) override { limits_.changed(flow); }
  void shared(WorkerId worker, const ShareRow& share) override;
  void offered(RunKey run) override;
  void taken(WorkerId worker, const ShareRow& share) override;
  void ended(RunKey run) override;
  void scheduled(const std::string& name) override { upkeep_.scheduled(*database_, name); }
  void ticked(const std::string& name, Time tick, bool created) override;
  void prunes(RunKey run, Duration age) override;
  void pruned(RunKey run) override;
  void left(WorkerId worker) override { left_.insert(worker); }
  void worker_ended(WorkerId worker) override;
  void resumed(WorkerId worker) override;

 private:
  using Key = std::tuple<RunKey, TaskId, int>;

  struct Shadow {
    VersionId version = 0;
    std::shared_ptr<const FlowDefinition> definition;
    std::optional<RunState> state;
    std::map<std::pair<TaskId, int>, Time> ready;
    std::vector<std::pair<std::uint64_t, JournalRow>> rows;  // with their commits, in commit order
    std::vector<JournalRow> untold;  // committed by others; the owner does not know of them
    bool reopened = false;
  };
  struct Execution {
    Time begun{};
    double clock_rate = 1.0;
    std::chrono::milliseconds timeout{};
    // More than one if the worker lost the run or a share, and had it anew while its first handler
    // still ran: any of them may be the one that counts. So of settlements.
    std::vector<AttemptResult> results;
    std::vector<Json> settlements;     // what it commits itself, if its transaction commits
    std::set<std::uint64_t> settling;  // the tickets of those that asked for it
    bool shared = false;
    bool stale = false;  // its share was no longer the worker's, which did not know that yet
  };

  Shadow& shadow(RunKey run);
  void note_ready(Shadow& shadow);
  void tell_all(Shadow& shadow);
  bool is_settled_late(const Attempt& attempt) const;
  void check_double_begin(const Attempt& attempt, const std::string& what);
  void fold(Shadow& shadow, std::uint64_t commit, const JournalRow& row);
  std::string error_as_stated(RunKey run, const Shadow& shadow) const;
  void check_with_oracle(RunKey run, const Shadow& shadow);
  void check_row(RunKey run, const JournalRow& row, WorkerId worker);
  std::string describe(RunKey run, TaskId task, int attempt) const;

  const SimulatedDatabase* database_ = nullptr;
  std::map<RunKey, Shadow> shadows_;
  std::map<std::pair<Key, WorkerId>, Execution> executions_;
  std::set<RunKey> cancelled_;
  std::set<WorkerId> left_;
  std::set<std::pair<WorkerId, RunKey>> helped_;  // a worker has had shares of a run
  std::set<std::pair<RunKey, TaskId>> settled_;   // by their handlers
  std::set<WorkerId> unaware_;                    // since the crash nothing of it was committed
  std::map<Key, Time> ahead_;  // when attempts ended by their worker's clock, which was ahead
  Time database_up_at_{};
  std::size_t resumptions_ = 0;
  std::size_t shares_ = 0;
  LimitJudge limits_;
  UpkeepJudge upkeep_;
  std::uint64_t commits_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace weir::simulation
