#include "worker/worker_loop.hpp"

#include <algorithm>
#include <utility>

#include "store/flow_store.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds nap_longest{60'000};
constexpr milliseconds give_back_interval{500};
// An exchange that is shorter is waited for: to hand it to another thread takes about as long as to
// take in what comes meanwhile.
constexpr std::chrono::microseconds overlap_min{1'000};
// At the latest then duties that ask the database have a turn, though none said that it was due.
constexpr milliseconds overlap_longest{50};

}  // namespace

WorkerLoop::WorkerLoop(const WorkerOptions& options, ServedFlows& flows,
                       FlowWorkers::Registration& registration, WorkerStore& store,
                       StepRunner& slots, Log& log, Inputs inputs, AcrossLives& across)
    : inputs_(std::move(inputs)),
      events_(options.events ? *options.events : *RunEvents::of_this_process()),
      flows_(flows),
      loop_{.options = options, .store = store, .log = log, .clock_of_host = inputs_.now},
      reader_(options, flows, registration, store.flows(), log),
      offered_(store.shares(), log),
      held_(store.shares(), flows, log),
      attempts_(loop_, slots, held_, across),
      advancer_(loop_, attempts_,
                [this](const OwnedRun& run, Steady now) { return is_held(run, now); }),
      schedule_(options.lease),
      duties_(duties()) {
  loop_.outbox.request().lease = options.lease;
  if (options.trial) loop_.trial.emplace(*options.trial);
  if (!options.sweeps) sweep_at_ = Steady::max();
}

Result<WorkerLoop::Ended> WorkerLoop::run(WorkerId worker) {
  loop_.outbox.request().worker = loop_.worker = worker;
  for (;;) {
    const Steady now = loop_.now();
    if (must_end(now)) break;
    if (under_way_) {
      if (const auto done = take_turns_ahead(now); !done) return abandon(done.error());
      continue;
    }
    if (const auto done = take_turns(now); !done) return abandon(done.error());
    if (under_way_) continue;
    if (loop_.is_draining() && loop_.runs.empty() && held_.empty()) break;
    if (!skipped_exchange_ || loop_.outbox.has_urgent()) continue;
    wait(now);
  }
  await_reply();
  const std::size_t released = loop_.runs.size();
  forget();
  if (const auto left = loop_.store.leave(worker); !left) return std::unexpected(left.error());
  loop_.log.info("worker {} left and released {} unfinished run{}", worker, released,
                 released == 1 ? "" : "s");
  return Ended::drained;
}

Result<void> WorkerLoop::take_turns(Steady now) {
  all_committed_at_ = now;
  return duties_.take_turns(now);
}

// While an exchange is under way: takes in what slots finish, so that the next one follows at once.
Result<void> WorkerLoop::take_turns_ahead(Steady now) {
  if (auto reply = loop_.store.take_reply()) {
    under_way_ = false;
    if (auto done = finish_exchange(std::move(reply)); !done) return done;
    return exchange_if_due(loop_.now());
  }
  constexpr auto without_database = Duties::Which::without_database;
  if (woken_ && now >= ahead_at_) {
    woken_ = false;
    ahead_at_ = now + ahead_interval;
    return duties_.take_turns(now, without_database);
  }
  loop_.store.wait(woken_ ? std::chrono::ceil<milliseconds>(ahead_at_ - now)
                          : nap(now, without_database));
  woken_ = true;
  return {};
}

// The reply of an exchange that is under way is of no use any more.
void WorkerLoop::await_reply() {
  while (under_way_) {
    under_way_ = !loop_.store.take_reply();
    if (under_way_) loop_.store.wait(nap_longest);
  }
}

// Each is due by itself at what it waits for; what slots, other threads and the database report
// wakes the loop.
std::vector<Duty> WorkerLoop::duties() {
  const auto unless_draining = [this](std::optional<Steady> due) {
    return loop_.is_draining() ? std::nullopt : due;
  };
  const auto done = [](auto&& act) {
    return [act](Steady now) -> Result<void> {
      act(now);
      return {};
    };
  };
  const auto never = [](Steady) -> std::optional<Steady> { return std::nullopt; };
  using enum Duty::Calls;
  return {
      {"sweep", done([this](Steady now) { sweep(now); }),
       [this](Steady) -> std::optional<Steady> { return sweep_at_; }, something_else},
      {"flows", done([this](Steady now) { read_flows(now); }),
       [=, this](Steady) { return unless_draining(reader_.due_at()); }, something_else},
      {"attempts", done([this](Steady now) { attempts_.collect(now); }),
       [this](Steady now) { return attempts_.due_at(now); }},
      {"settlements", [this](Steady now) { return attempts_.resolve(now); },
       [this](Steady) { return attempts_.resolve_at(); }, something_else},
      {"large values", [this](Steady) { return advancer_.take_written(); }, never},
      {"shares held", done([this](Steady now) { take_shares(now); }),
       [this](Steady) -> std::optional<Steady> {
         return held_.next_turn(attempts_.capacity(), takes_shares());
       },
       something_else},
      {"shares offered", done([this](Steady now) { offer_shares(now); }),
       [=, this](Steady) { return unless_draining(offered_.next_turn()); }, something_else},
      {"waits", done([this](Steady) { advancer_.close_waits(); }), never,  // due as their runs are
       something_else},
      {"what waits", done([this](Steady now) { give_back(now); }),
       [this](Steady) { return give_back_due_at(); }},
      {"runs", done([this](Steady now) { advancer_.advance(now); }),
       [this](Steady now) { return steady(loop_.runs.wakes_at(loop_.clock.at(now)), now); }},
      {"trial", done([this](Steady) { take_trial_turn(); }), never},
      {"tasks", done([this](Steady) { pick(); }), never},  // due as their runs are
      {"exchange", [this](Steady now) { return exchange_if_due(now); },
       [this](Steady now) -> std::optional<Steady> {
         return std::min(schedule_.due_at(room(), steady(schedule_.next_wake_at(), now)),
                         loop_.outbox.retry_at().value_or(Steady::max()));
       },
       exchange},
      // After the exchange, or where none is needed: never while a row is uncommitted (P1).
      {"child runs", [this](Steady) { return advancer_.start_child_runs(); },
       [=, this](Steady) { return unless_draining(advancer_.child_runs_due_at()); },
       something_else},
  };
}

// Sleeps until a duty is due, the drain is over, or something wakes the loop; takes note of what
// that was.
void WorkerLoop::wait(Steady now) {
  const bool ready = loop_.store.wait(nap(now, Duties::Which::all));
  if (loop_.store.take_notified()) {
    schedule_.note_notification();
    offered_.notify();
    held_.notify();
  }
  const bool may_have_runs = inputs_.runs_may_wait() || ready;
  if (may_have_runs) held_.wake();
  const auto& wake_at = schedule_.next_wake_at();
  const bool due = wake_at && loop_.database_now() >= *wake_at;
  if (may_have_runs || due || loop_.now() >= schedule_.poll_at()) schedule_.note_possible_runs();
}

milliseconds WorkerLoop::nap(Steady now, Duties::Which which) const {
  const milliseconds nap = duties_.nap(now, nap_longest, which);
  if (!loop_.drain_until) return nap;
  return std::clamp(std::chrono::ceil<milliseconds>(*loop_.drain_until - now), milliseconds(1),
                    nap);
}

// A moment of the database's clock on this host's.
std::optional<Steady> WorkerLoop::steady(std::optional<Time> time, Steady now) const {
  if (!time) return std::nullopt;
  return now + std::min<Duration>(*time - loop_.clock.at(now), nap_longest);
}

Result<WorkerLoop::Ended> WorkerLoop::abandon(const Error& error) {
  await_reply();
  forget();
  // So that no attempt is charged: this worker lives, whatever the database lost. If it fails, the
  // lease lapses; if the database has declared the worker dead, it does nothing.
  static_cast<void>(loop_.store.leave(loop_.worker));
  if (error.code != ErrorCode::lease_lost) return std::unexpected(error);
  loop_.log.warn("worker {} lost its lease: it drops what it held and joins again: {}",
                 loop_.worker, to_string(error));
  return Ended::lease_lost;
}

// Takes note of a request to drain, and returns whether the loop must end now.
bool WorkerLoop::must_end(Steady now) {
  const StopRequest request = inputs_.stop_request();
  if (request != StopRequest::none && !loop_.drain_until)
    loop_.drain_until = now + loop_.options.drain_timeout;
  return loop_.drain_until && (request == StopRequest::stop_now || now >= *loop_.drain_until);
}

void WorkerLoop::read_flows(Steady now) {
  if (inputs_.flows_changed()) reader_.request(now);
  if (loop_.is_draining()) return;
  if (auto claimable = reader_.read(loop_.worker, now)) {
    loop_.outbox.request().versions = *std::move(claimable);
    schedule_.note_possible_runs();
  }
}

// Whether no task of the run may start: it ends, its plugin is in quarantine, or its flow is paused
// (C2).
bool WorkerLoop::is_held(const OwnedRun& run, Steady now) const {
  return run.ending || loop_.paused.contains(run.version()) || reader_.is_barred(run.flow(), now);
}

// Only when there is nothing else to do: claiming runs comes first, and a request for shares must
// not delay an exchange. A worker that holds shares already may take more.
bool WorkerLoop::takes_shares() const {
  if (loop_.trial && !takes_suspect_share()) return false;
  return !loop_.is_draining() && (skipped_exchange_ || !held_.empty()) &&
         !(schedule_.may_have_runs() && room() > 0);
}

// F10: suspect elements of shares come after the runs on trial, and each runs alone.
bool WorkerLoop::takes_suspect_share() const {
  return skipped_exchange_ && loop_.runs.empty() && held_.empty() && attempts_.size() == 0;
}

// L7: what it holds of others' runs.
void WorkerLoop::take_shares(Steady now) {
  std::vector<VersionId> versions;
  const bool takes = takes_shares();
  if (!loop_.is_draining() && (takes || !held_.empty()))
    for (const VersionId version : loop_.outbox.request().versions)
      if (!loop_.paused.contains(version)) versions.push_back(version);
  for (const ShareId share : held_.turn(loop_.worker, now, versions, attempts_.capacity(), takes))
    attempts_.forget_share(share);
  if (held_.in_doubt()) attempts_.doubt_shares();
  if (held_.take_lease_unconfirmed()) schedule_.confirm_lease(now);
}

// L7: what it offers of its own runs.
void WorkerLoop::offer_shares(Steady now) {
  if (!loop_.is_draining() && !loop_.trial && !attempts_.states_too_much() && !held_.in_doubt())
    offered_.turn(loop_.worker, now, loop_.runs, attempts_.capacity(),
                  [this](RunKey key, OwnedRun& run, const JournalRow& row) {
                    advancer_.fold_shared_row(key, run, row);
                  });
  if (offered_.take_lease_unconfirmed()) schedule_.confirm_lease(now);
}

// F10: the trial is over when nothing that could be claimed is left.
void WorkerLoop::take_trial_turn() {
  if (!loop_.trial || loop_.is_draining()) return;
  if (held_.empty()) loop_.trial->turn(loop_.runs);
  const bool has_versions = !loop_.outbox.request().versions.empty();
  const bool has_claimed = !has_versions || (!schedule_.may_have_runs() && held_.has_found_none());
  if (loop_.runs.empty() && held_.empty() && reader_.has_read() && has_claimed) loop_.trial->end();
}

void WorkerLoop::pick() {
  if (loop_.is_draining()) return;
  const Steady now = loop_.now();
  attempts_.pick([&](const OwnedRun& run) { return is_held(run, now); },
                 [this](RunKey key, OwnedRun& run, std::size_t step) {
                   advancer_.publish_started(key, run, step);
                 });
}

std::size_t WorkerLoop::tasks_held() const { return attempts_.on_slots() + attempts_.startable(); }

// How many more tasks to claim. What waits for room for deferred calls, or pends, holds no place (A8).
std::size_t WorkerLoop::room() const {
  if (loop_.is_draining() || loop_.outbox.request().versions.empty()) return 0;
  if (loop_.trial) return 1;
  if (attempts_.large().is_full()) return 0;
  const std::size_t held = tasks_held(), target = attempts_.pace().hold();
  return held < target ? target - held : 0;
}

// L9: what the worker holds beyond what it would claim, and did not start for a second. Nothing goes
// to and fro: it claims only when it holds less than that.
void WorkerLoop::give_back(Steady now) {
  if (now < give_back_at_ || loop_.trial) return;
  give_back_at_ = now + give_back_interval;
  attempts_.take_back_waiting(now);
  if (!loop_.is_draining()) {
    advancer_.give_back_crowded();
    attempts_.give_back_crowded_shares(now);
  }
  const std::size_t held = tasks_held(), target = attempts_.pace().hold();
  if (loop_.is_draining() || held <= target) return;
  const std::size_t surplus = held - target;
  const std::size_t given = held_.give_back(surplus, now);
  advancer_.give_back(surplus - std::min(surplus, given));
}

std::optional<Steady> WorkerLoop::give_back_due_at() const {
  const bool any_waits =
      !loop_.trial && (tasks_held() > (loop_.is_draining() ? 0 : attempts_.pace().slots()) ||
                       attempts_.waiting_for_room() > 0);
  return any_waits ? std::optional(give_back_at_) : std::nullopt;
}

bool WorkerLoop::is_exchange_due(Steady now) const {
  const auto retry_at = loop_.outbox.retry_at();
  return schedule_.is_due(
      now, loop_.outbox.has_urgent() || attempts_.has_unstated() || (retry_at && now >= *retry_at),
      room());
}

// Whether the loop may go on while the exchange is under way: it pays, and nothing else of the
// database is due.
bool WorkerLoop::may_overlap(Steady now) const {
  if (!attempts_.any_started() || attempts_.pace().exchange_time() < overlap_min) return false;
  if (loop_.trial || loop_.is_draining() || !held_.empty() || advancer_.waits_for_commit())
    return false;
  return now < all_committed_at_ + overlap_longest && !duties_.is_other_call_due(now);
}

Result<void> WorkerLoop::exchange_if_due(Steady now) {
  skipped_exchange_ = !is_exchange_due(now);
  return skipped_exchange_ ? Result<void>() : exchange();
}

void WorkerLoop::sweep(Steady now) {
  if (now < sweep_at_) return;
  sweep_at_ = now + loop_.options.lease / 3;
  const auto swept = loop_.store.sweep();
  if (!swept) return sweeping_.failed(swept.error(), now);
  sweeping_.succeeded(now);
  if (*swept > 0) {
    loop_.log.warn("{} worker{} did not renew the lease: tasks that ran there start again", *swept,
                   *swept == 1 ? "" : "s");
    schedule_.note_possible_runs();
  }
}

void WorkerLoop::forget() {
  attempts_.forget();
  loop_.runs.clear();
  offered_.forget();
  held_.forget();
}

}  // namespace weir
