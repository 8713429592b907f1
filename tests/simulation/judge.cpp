#include "simulation/judge.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/json_difference.hpp"
#include "unit/run/driven_run.hpp"
#include "unit/run/journal_oracle.hpp"

namespace weir::simulation {
namespace {

constexpr std::size_t violations_max = 20;  // if one repeats itself, the first ones are enough

bool is_worked_on(const StepDefinition& step) {
  return step.kind == StepKind::single || step.kind == StepKind::map;
}

bool is_same(const Json& a, const Json& b) { return a == b || !first_difference(a, b); }

// What is wrong with a row of an attempt for which a handler has returned `result`; null: nothing.
const char* fault_of(const JournalRow& row, const AttemptResult& result) {
  const bool refused =
      row.outcome == Outcome::failed_for_good && result.outcome == Outcome::completed;  // P6
  if (!refused && row.outcome != result.outcome) return "its handler said otherwise";
  if (row.output && (!result.output || !is_same(*row.output, *result.output)))
    return "its handler returned something else";
  return nullptr;
}

}  // namespace

void Judge::violated(std::string what) {
  if (violations_.size() < violations_max)
    violations_.push_back(fmt::format(
        "at {:.3f} s: {}",
        std::chrono::duration<double>(database_->now() - DrivenRun::begin).count(), what));
}

std::string Judge::describe(RunKey run, TaskId task, int attempt) const {
  const auto found = database_->tables().runs.find(run);
  if (found == database_->tables().runs.end())
    return fmt::format("deleted run {} {}[{}] attempt {}", run, task.step, task.index, attempt);
  const FlowDefinition& definition = *database_->version(found->second.version).definition;
  return fmt::format(
      "run {} {}.{}[{}] attempt {}", run, definition.slug().view(),
      task.step < definition.steps().size() ? definition.steps()[task.step].slug.view() : "no step",
      task.index, attempt);
}

// The committed state of a run, under the version that it has now.
Judge::Shadow& Judge::shadow(RunKey run) {
  Shadow& shadow = shadows_[run];
  const RunRow& row = database_->tables().runs.at(run);
  if (shadow.state && shadow.version == row.version) return shadow;
  shadow.version = row.version;
  shadow.definition = database_->version(row.version).definition;
  shadow.state.emplace(*shadow.definition, options_of(*shadow.definition), run, row.input,
                       row.available_at);
  shadow.ready.clear();
  for (const auto& [commit, row_before] : std::exchange(shadow.rows, {}))
    fold(shadow, commit, row_before);
  return shadow;
}

void Judge::fold(Shadow& shadow, std::uint64_t commit, const JournalRow& row) {
  shadow.rows.emplace_back(commit, row);
  const auto taken = shadow.state->apply(row);
  if (!taken) violated("an impossible row: " + to_string(taken.error()));
  std::erase_if(shadow.ready, [&](const auto& entry) {
    return entry.first.first == row.task && entry.first.second <= row.attempt;
  });
}

void Judge::note_ready(Shadow& shadow) {
  for (const ReadyTask& each : shadow.state->take_ready())
    shadow.ready[{each.task, each.attempt}] = each.not_before;
}

void Judge::tell_all(Shadow& shadow) {
  for (const JournalRow& row : std::exchange(shadow.untold, {})) fold(shadow, commits_, row);
}

// Only the owner decides what follows from a row, so only what it knows counts.
void Judge::told(WorkerId worker, RunKey run, std::span<const JournalRow> rows) {
  const auto open = database_->tables().open_runs.find(run);
  if (open == database_->tables().open_runs.end() || open->second.worker != worker) return;
  Shadow& committed = shadow(run);
  ++commits_;
  for (const JournalRow& row : rows)
    if (std::erase_if(committed.untold, [&](const JournalRow& each) {
          return each.task == row.task && each.attempt == row.attempt;
        }) > 0)
      fold(committed, commits_, row);
}

// A run that is opened again is folded from its rows alone, as the worker that claims it does.
void Judge::opened(RunKey run) {
  if (const auto known = shadows_.find(run); known != shadows_.end()) {
    if (known->second.state) tell_all(known->second);
    known->second.state.reset();
    known->second.reopened = true;
  }
  const auto& end = shadow(run).state->end();
  const bool unmet = end && end->error.contains("condition is not met");  // and will not be
  if (end && end->status == RunStatus::failed && !unmet)
    violated(fmt::format("C3: run {} is retried but has failed already: {}", run, end->error));
}

void Judge::before_exchange(const ExchangeRequest& request) {
  unaware_.erase(request.worker);
  const auto owns = [&](RunKey run) {
    const auto open = database_->tables().open_runs.find(run);
    return open != database_->tables().open_runs.end() && open->second.worker == request.worker;
  };
  const auto check = [&](RunKey run, const char* what) {
    if (!owns(run))
      violated(
          fmt::format("L2: worker {} {} run {}, which is not its own", request.worker, what, run));
  };
  for (const auto& settled : request.settled) check(settled.run, "settles an attempt of");
  for (const auto& ended : request.ended) check(ended.run, "ends");
  const Tables& tables = database_->tables();
  for (const EndedRun& each : request.ended) {
    const auto run = tables.runs.find(each.run);
    const auto child = tables.children.lower_bound({each.run, 0, 0});
    if ((!each.relations.parent && run != tables.runs.end() && run->second.parent) ||
        (!each.relations.children && child != tables.children.end() &&
         child->first.run == each.run) ||
        (!each.relations.shares && std::ranges::any_of(tables.shares, [&](const auto& entry) {
          return entry.second.run == each.run;
        })))
      violated(
          fmt::format("run {} ends with a parent, a child run or a share that worker {} "
                      "rules out",
                      each.run, request.worker));
  }
  for (const auto& released : request.released) check(released.run, "releases");
  for (const auto& flying : request.in_flight)
    if (!helped_.contains({request.worker, flying.run})) check(flying.run, "states an attempt of");
  for (const auto& acknowledgement : request.acknowledged)
    check(acknowledgement.run, "acknowledges notifications of");
  ++commits_;
}

void Judge::journaled(RunKey run, const JournalRow& row, WorkerId worker, bool told, Time stated) {
  if (stated > row.ended_at) ahead_[{run, row.task, row.attempt}] = stated;
  check_row(run, row, worker);
  if (row.outcome == Outcome::lost || worker == 0) ++commits_;
  Shadow& committed = shadow(run);
  if (worker == 0) tell_all(committed);
  if (told)
    fold(committed, commits_, row);
  else
    committed.untold.push_back(row);
}

void Judge::claimed(const std::vector<RunKey>& runs) {
  limits_.claimed(*database_, runs, [this](std::string what) { violated(std::move(what)); });
}

void Judge::ticked(const std::string& name, Time tick, bool created) {
  upkeep_.ticked(*database_, name, tick, created,
                 [this](std::string what) { violated(std::move(what)); });
}

void Judge::check_all_ticked() {
  upkeep_.check_all_ticked(*database_, [this](std::string what) { violated(std::move(what)); });
}

void Judge::prunes(RunKey run, Duration age) {
  upkeep_.prunes(*database_, run, age, [this](std::string what) { violated(std::move(what)); });
}

void Judge::pruned(RunKey run) {
  upkeep_.pruned(*database_, run, [this](std::string what) { violated(std::move(what)); });
  shadows_.erase(run);
}

void Judge::offered(RunKey run) { note_ready(shadow(run)); }

void Judge::taken(WorkerId worker, const ShareRow& share) {
  ++shares_;
  helped_.emplace(worker, share.run);
  for (const auto& [id, held] : database_->tables().shares)
    if (held.worker && held.run == share.run && held.step == share.step &&
        held.attempt == share.attempt && held.first <= share.last && share.first <= held.last)
      violated(fmt::format("L7: {} is given to worker {}, and worker {} holds it",
                           describe(share.run, {share.step, share.first}, share.attempt), worker,
                           *held.worker));
}

// What its owner still states would count as lost with the owner, though another worker runs it. After
// a crash the database may have lost that it is not stated any more.
void Judge::shared(WorkerId worker, const ShareRow& share) {
  if (unaware_.contains(worker)) return;
  const Tables& tables = database_->tables();
  const auto journal = tables.journal.find(share.run);
  for (const InFlightTask& task : tables.workers.at(worker).in_flight)
    if (task.run == share.run && task.task.step == share.step && task.attempt == share.attempt &&
        task.task.index >= share.first && task.task.index <= share.last &&
        (journal == tables.journal.end() || !journal->second.contains({task.task, task.attempt})))
      violated(fmt::format("F1: {} is offered, and its owner, worker {}, states it",
                           describe(share.run, task.task, task.attempt), worker));
}

// Checks that a row which a worker journals agrees with what a handler did.
void Judge::check_row(RunKey run, const JournalRow& row, WorkerId worker) {
  const Tables& tables = database_->tables();
  const FlowDefinition& definition = *database_->version(tables.runs.at(run).version).definition;
  if (row.outcome == Outcome::retried) return;
  if (!tables.open_runs.contains(run))
    violated(fmt::format("F6: {} is journaled after the run's end",
                         describe(run, row.task, row.attempt)));
  if (row.task.step >= definition.steps().size() ||
      !is_worked_on(definition.steps()[row.task.step]) || row.outcome == Outcome::skipped)
    return;
  if (row.outcome == Outcome::lost) {
    const WorkerRow& dead = tables.workers.at(worker);
    if (dead.heard_at < database_up_at_ && database_->now() < database_up_at_ + dead.lease)
      violated(
          fmt::format("F11: {} counts as lost with worker {}, which the database did not reach",
                      describe(run, row.task, row.attempt), worker));
    if (dead.timeline != database_->timeline())
      violated(fmt::format("F11: {} counts as lost with worker {}, which joined before a failover",
                           describe(run, row.task, row.attempt), worker));
    if (dead.lease_until > database_->now())
      violated(fmt::format("F1: {} counts as lost with worker {}, which lives",
                           describe(run, row.task, row.attempt), worker));
    return;
  }
  const auto found = executions_.find({Key{run, row.task, row.attempt}, worker});
  const auto wrong = [&](const char* why) {
    violated(fmt::format("{} is journaled as {} by worker {}: {}",
                         describe(run, row.task, row.attempt), name(row.outcome), worker, why));
  };
  if (row.outcome == Outcome::cancelled) return;
  if (found == executions_.end()) return wrong("no handler began it there");
  const Execution& execution = found->second;
  const auto returned = [&](const AttemptResult& result) {
    return fault_of(row, result) == nullptr;
  };
  const bool completed = row.outcome == Outcome::completed;
  if (tables.effects.contains({run, row.task, row.attempt})) {
    if (!completed) return wrong("C9: its handler committed");
    const auto agrees = [&](const Json& output) { return is_same(*row.output, output); };
    if (!row.output || std::ranges::none_of(execution.settlements, agrees))
      wrong("C9: its handler committed another output");
    return;
  }
  if (!execution.settlements.empty()) {
    if (row.error_code == "not_settled") return;
    if (completed && std::ranges::none_of(execution.results, returned))
      return wrong("C9: its handler did not commit");
  }
  if (row.outcome == Outcome::timed_out) {
    const auto ran = std::chrono::duration<double>(database_->now() - execution.begun);
    if (ran * execution.clock_rate + std::chrono::milliseconds(2) <
        std::chrono::duration<double>(execution.timeout))
      wrong("its time was not over");
    return;
  }
  if (execution.results.empty()) return wrong("its handler still runs");
  if (std::ranges::none_of(execution.results, returned))
    wrong(fault_of(row, execution.results.back()));
}

void Judge::check_double_begin(const Attempt& attempt, const std::string& what) {
  const Key key{attempt.run, attempt.task, attempt.number};
  for (auto earlier = executions_.lower_bound({key, 0});
       earlier != executions_.end() && earlier->first.first == key; ++earlier) {
    const auto& where = earlier->first;
    if (earlier->second.stale) continue;
    const WorkerRow& worker = database_->tables().workers.at(where.second);
    if (where.second == attempt.worker)
      violated(fmt::format("{} begins twice in worker {}", what, attempt.worker));
    else if (worker.end_reason != "left" && !left_.contains(where.second))
      violated(fmt::format("F1: {} begins in worker {} and had begun in worker {}, which {}", what,
                           attempt.worker, where.second,
                           worker.ended_at ? "lapsed, uncharged" : "has not ended"));
  }
}

// Whether a late request has journaled what an earlier handler of the worker returned, of which a
// crash has lost that it ran. The worker took the share again before, and hears of the row only when
// it settles its own.
bool Judge::is_settled_late(const Attempt& attempt) const {
  const Key key{attempt.run, attempt.task, attempt.number};
  const auto earlier = executions_.find({key, attempt.worker});
  if (earlier == executions_.end() || !earlier->second.stale) return false;
  const auto& journals = database_->tables().journal;
  const auto journal = journals.find(attempt.run);
  if (journal == journals.end()) return false;
  const auto row = journal->second.find({attempt.task, attempt.number});
  return row != journal->second.end() && row->second.worker == attempt.worker;
}

void Judge::attempt_began(const Attempt& attempt, double clock_rate) {
  const Tables& tables = database_->tables();
  const std::string what = describe(attempt.run, attempt.task, attempt.number);
  const bool shared = attempt.share != 0;
  const bool stale =
      unaware_.contains(attempt.worker) || !tables.workers.contains(attempt.worker) ||
      (shared &&
       database_->share_of(attempt.worker, attempt.run, attempt.task, attempt.number) == nullptr);
  const bool settled_late = shared && is_settled_late(attempt);
  if (!stale && !settled_late) check_double_begin(attempt, what);
  Execution& execution = executions_[{{attempt.run, attempt.task, attempt.number}, attempt.worker}];
  execution = {.begun = database_->now(),
               .clock_rate = clock_rate,
               .timeout = attempt.options.timeout,
               .results = std::move(execution.results),
               .settlements = std::move(execution.settlements),
               .settling = std::move(execution.settling),
               .shared = shared,
               .stale = stale};
  // A worker that has lost its lease, a share or a claim may not know it yet; its requests will be
  // refused.
  if (stale || !database_->is_alive(attempt.worker)) return;
  const auto open = tables.open_runs.find(attempt.run);
  if (!shared && (open == tables.open_runs.end() || open->second.worker != attempt.worker)) {
    violated(fmt::format("L2: {} begins in worker {}, which lives and does not own the run", what,
                         attempt.worker));
    return;
  }
  if (std::ranges::none_of(tables.workers.at(attempt.worker).in_flight, [&](const auto& each) {
        return each.run == attempt.run && each.task == attempt.task &&
               each.attempt == attempt.number;
      }))
    violated(fmt::format("F1: {} begins and is not stated as in flight", what));
  Shadow& committed = shadow(attempt.run);
  note_ready(committed);
  if (!committed.ready.contains({attempt.task, attempt.number})) {
    if (!settled_late && (!shared || committed.state->still_needed(attempt.task)))
      violated(fmt::format("P1: {} begins before what it depends on is committed", what));
    return;
  }
  if (!is_same(attempt.input, committed.state->input_of(attempt.task)))
    violated(fmt::format("P2: {} begins with input {} instead of {}", what, attempt.input.text(),
                         committed.state->input_of(attempt.task).text()));
}

void Judge::restore(const Judge& past) {
  const std::map<RunKey, Shadow> before = std::exchange(shadows_, past.shadows_);
  for (auto& [run, shadow] : shadows_) {
    const auto known = before.find(run);
    if (known == before.end() || !shadow.state) continue;
    // What the owner was told meanwhile of rows that are left, it knows.
    ++commits_;
    for (const JournalRow& row : std::vector(shadow.untold))
      if (std::ranges::none_of(known->second.untold, [&](const JournalRow& each) {
            return each.task == row.task && each.attempt == row.attempt;
          })) {
        std::erase_if(shadow.untold, [&](const JournalRow& each) {
          return each.task == row.task && each.attempt == row.attempt;
        });
        fold(shadow, commits_, row);
      }
  }
  settled_ = past.settled_;
  limits_ = past.limits_;
  upkeep_ = past.upkeep_;
}

// An attempt may begin a second time if the database knows nothing of the first: its worker has not
// stated it, or not taken the share that it is of; or, behind a standby, gives it back as soon as it
// hears of that.
void Judge::database_crashed(Time up_at, bool standby) {
  database_up_at_ = up_at;
  const Tables& tables = database_->tables();
  for (const auto& [id, worker] : tables.workers)
    if (!worker.ended_at) unaware_.insert(id);
  for (auto& [where, execution] : executions_) {
    const auto& [run, task, attempt] = where.first;
    const auto worker = tables.workers.find(where.second);
    const bool stated = worker != tables.workers.end() &&
                        std::ranges::any_of(worker->second.in_flight, [&](const auto& each) {
                          return each.run == run && each.task == task && each.attempt == attempt;
                        });
    const bool known = stated && (!execution.shared ||
                                  database_->share_of(where.second, run, task, attempt) != nullptr);
    execution.stale = execution.stale || standby || !known;
  }
}

void Judge::resumed(WorkerId worker) {
  unaware_.erase(worker);
  ++resumptions_;
}

void Judge::settlement_requested(const Attempt& attempt, const Json& output) {
  Execution& execution =
      executions_.at({Key{attempt.run, attempt.task, attempt.number}, attempt.worker});
  execution.settlements.push_back(output);
  execution.settling.insert(attempt.ticket);
}

// What a handler commits, and the row that completes its attempt, exist together.
void Judge::settled(RunKey run, TaskId task, int attempt) {
  const Journal& rows = database_->tables().journal.at(run);
  const auto row = rows.find({task, attempt});
  if (row == rows.end() || row->second.row.outcome != Outcome::completed)
    violated(fmt::format("C9: a handler commits {}, which is not completed by that",
                         describe(run, task, attempt)));
  if (!settled_.emplace(run, task).second)
    violated(fmt::format("C9: {} is the second that a handler commits of its task",
                         describe(run, task, attempt)));
}

void Judge::attempt_ended(const Attempt& attempt, const AttemptResult& result) {
  Execution& execution =
      executions_.at({Key{attempt.run, attempt.task, attempt.number}, attempt.worker});
  if (!execution.settling.contains(attempt.ticket) || result.outcome != Outcome::completed)
    execution.results.push_back(result);
}

void Judge::ended(RunKey run) {
  const RunRow& row = database_->tables().runs.at(run);
  Shadow& committed = shadow(run);
  // C8: however it ended, children that are still or again open end as cancelled.
  for (auto each = database_->tables().children.lower_bound({run, 0, 0});
       each != database_->tables().children.end() && each->first.run == run; ++each)
    cancelled_.insert(each->second);
  if (row.status == RunStatus::cancelled) {
    if (!cancelled_.contains(run))
      violated(fmt::format("C1: run {} is cancelled without a request: {}{}", run, row.error,
                           row.parent ? fmt::format(" (a child of run {})", row.parent->run) : ""));
    return;
  }
  const auto& end = committed.state->end();
  if (!end) {
    violated(fmt::format("P7: run {} ends, and what is committed leaves it open", run));
    return;
  }
  if (end->status != row.status)
    violated(fmt::format("P7: run {} ends as {} instead of {} ({})", run,
                         static_cast<int>(*row.status), static_cast<int>(end->status), end->error));
  else if (row.output && !is_same(*row.output, end->output))
    violated(fmt::format("P7: run {} gives {} instead of {}", run, row.output->text(),
                         end->output.text()));
  else if (row.error != end->error && row.error != error_as_stated(run, committed))
    violated(fmt::format("P7: run {} says \"{}\" instead of \"{}\"", run, row.error, end->error));
  if (!committed.reopened) check_with_oracle(run, committed);
}

// As their worker decides, which knows the times that it has stated, also those that were ahead of the
// database's.
std::string Judge::error_as_stated(RunKey run, const Shadow& committed) const {
  const RunRow& row = database_->tables().runs.at(run);
  RunState state(*committed.definition, options_of(*committed.definition), run, row.input,
                 row.available_at);
  for (const auto& [commit, each] : committed.rows) {
    JournalRow stated = each;
    if (const auto ahead = ahead_.find({run, each.task, each.attempt}); ahead != ahead_.end())
      stated.ended_at = ahead->second;
    if (!state.apply(stated)) return {};
  }
  return state.end() ? state.end()->error : std::string();
}

// Checks the end independently of RunState: with the oracle, from the rows as they were committed.
void Judge::check_with_oracle(RunKey run, const Shadow& committed) {
  const RunRow& row = database_->tables().runs.at(run);
  JournalOracle oracle(*committed.definition, options_of(*committed.definition), row.input);
  for (auto each = committed.rows.begin(); each != committed.rows.end();) {
    const std::uint64_t commit = each->first;
    for (; each != committed.rows.end() && each->first == commit; ++each) oracle.add(each->second);
    oracle.decide();
  }
  oracle.decide();
  if (oracle.status() != row.status)
    violated(fmt::format("P7: the rows of run {} say that it does not end so", run));
  else if (row.output && !is_same(*row.output, oracle.output()))
    violated(fmt::format("P7: the rows of run {} give {} instead of {}", run,
                         oracle.output().text(), row.output->text()));
}

void Judge::worker_ended(WorkerId worker) {
  for (const auto& [run, open] : database_->tables().open_runs)
    if (open.worker == worker)
      violated(fmt::format("L3: run {} still belongs to worker {}, which ended", run, worker));
}

}  // namespace weir::simulation
