// The exchange of a worker's loop, and what it does with the reply.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "base/retry_log.hpp"
#include "worker/away.hpp"
#include "worker/worker_loop.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds retry_first{50};  // after the database did not answer
constexpr milliseconds retry_longest{2'000};

// Of a lease that counts anew after an outage, most is left when the worker is heard (L1).
milliseconds longer(milliseconds pause, milliseconds lease) {
  return std::min({2 * pause, retry_longest, lease / 3});
}

}  // namespace

Result<void> WorkerLoop::exchange() {
  const Steady now = loop_.now();
  const bool overlaps = may_overlap(now);
  ExchangeRequest& request = loop_.outbox.send(now);
  request.in_flight = attempts_.stated();
  request.claims_max = room();
  request.crowded.clear();
  if (request.claims_max > 0)
    std::ranges::copy(attempts_.crowded(), std::back_inserter(request.crowded));
  request.begins_max = overlaps || loop_.trial || !reader_.has_read() ? 0 : attempts_.free_slots();
  request.sequence = ++sequence_;
  attempts_.note_sent();
  schedule_.begin();
  sent_at_ = loop_.now();
  if (!overlaps) return finish_exchange(std::nullopt);
  loop_.store.send_exchange(request);
  under_way_ = true;
  woken_ = false;
  ahead_at_ = sent_at_ + ahead_interval;
  return {};
}

// `first`: the reply, if the request was sent before.
Result<void> WorkerLoop::finish_exchange(FirstReply first) {
  const auto reply = exchange_until_answered(std::move(first));
  if (!reply) return std::unexpected(reply.error());
  const Steady after = loop_.now();
  const ExchangeRequest& request = loop_.outbox.sent();
  attempts_.pace().exchanged(after - sent_at_);
  loop_.clock.set(reply->now, sent_at_, after);
  schedule_.answered(*reply, request.claims_max, after);
  if (!request.settled.empty() || !request.ended.empty() || !request.released.empty())
    settled_in_ = request.sequence;

  const std::set<RunKey> left = loop_.outbox.left(*reply);
  loop_.runs.remove_leaving([&](RunKey run) { return left.contains(run); });
  if (const auto events = loop_.outbox.answered(*reply, after); !events.empty())
    events_.publish(events);
  for (const auto& [key, why] : reply->refused)
    if (const auto failed = advancer_.fail_refused(key, why); !failed) return failed;
  attempts_.start_stated();
  apply_reply(*reply);
  return adopt(reply->claimed);
}

// L6: repeats the same request until it is answered. If the first one was committed, the answer is
// the same.
Result<ExchangeReply> WorkerLoop::exchange_until_answered(FirstReply first) {
  RetryLog told(loop_.log, "the database does not answer", "the database answers again");
  for (milliseconds pause = retry_first;; pause = longer(pause, loop_.options.lease)) {
    auto reply = try_exchange(std::exchange(first, std::nullopt));
    if (reply || !is_away(reply.error())) told.succeeded(loop_.now());
    if (reply || reply.error().code == ErrorCode::lease_lost) return reply;
    const Steady now = loop_.now();
    if (!is_away(reply.error()) || must_end(now)) return reply;
    told.failed(reply.error(), now);
    attempts_.doubt_shares();  // a crash may have lost that they were taken, and no exchange
    attempts_.enforce_limits(now);
    loop_.store.wait(pause);
  }
}

// L6: if the database has lost exchanges, it is asked what the worker holds. Then this request is
// one that it cannot have taken.
Result<ExchangeReply> WorkerLoop::try_exchange(FirstReply first) {
  ExchangeRequest& request = loop_.outbox.sent();
  if (!lost_commits_) {
    auto reply = first ? *std::move(first) : loop_.store.exchange(request);
    lost_commits_ = !reply && reply.error().kind == commits_lost && !loop_.trial;
    if (!lost_commits_) return reply;
  }
  const auto held =
      loop_.store.resume(loop_.worker, request.sequence + 1, settled_in_, request.lease);
  if (!held) return std::unexpected(held.error());
  lost_commits_ = false;
  attempts_.doubt_shares();
  if (!drop_lost(*held))
    return std::unexpected(
        Error{.code = ErrorCode::lease_lost,
              .kind = std::string(commits_lost),
              .message = "the database has lost a claim of a run that is written",
              .hint = {}});
  request.sequence = sequence_ += 2;
  attempts_.drop_others(request.in_flight);
  return loop_.store.exchange(request);
}

// Drops the runs that were claimed with exchanges which the database has lost: others can claim
// them, and nothing of them is charged. False: something of one of them is still to be resolved,
// or may be settled by its handler.
bool WorkerLoop::drop_lost(const std::vector<RunKey>& held) {
  std::vector<RunKey> lost;
  for (const auto& [key, run] : loop_.runs)
    if (std::ranges::find(held, key) == held.end()) lost.push_back(key);
  loop_.log.warn(
      "a crash of the database has lost calls of worker {}: it goes on with {} of its {} runs",
      loop_.worker, loop_.runs.size() - lost.size(), loop_.runs.size());
  for (const RunKey key : lost) {
    if (attempts_.is_resolving(key) || !attempts_.drop_run(key)) return false;
    loop_.outbox.drop_run(key);
    loop_.runs.remove(key);
  }
  return true;
}

void WorkerLoop::apply_reply(const ExchangeReply& reply) {
  loop_.paused = {reply.paused.begin(), reply.paused.end()};
  loop_.outbox.set_listeners(events_.has_listeners(), reply.has_listeners);
  for (const auto& [key, notifications] : reply.notifications) {
    OwnedRun* const run = loop_.runs.find(key);
    // One that leaves takes in no more: whoever claims it next is sent all of it (L8).
    if (run == nullptr || run->leaving) continue;
    run->receive(notifications);
    loop_.outbox.acknowledge(key, notifications.count);
  }
}

Result<void> WorkerLoop::adopt(const std::vector<ClaimedRun>& claimed) {
  for (const ClaimedRun& claim : claimed) offered_.note_claimed(claim.run);
  auto histories = histories_of(claimed);
  if (!histories) return std::unexpected(histories.error());
  Outbox& outbox = loop_.outbox;
  for (const ClaimedRun& claim : claimed) {
    const ServedFlows::Flow* const flow = flows_.find(claim.version);
    WEIR_ASSERT(flow != nullptr);
    OwnedRun& run = loop_.runs.add(claim, flow->module, flow->options, flow->plugin);
    if (loop_.trial) loop_.trial->adopt(claim.run, run);
    if (!claim.has_history) outbox.publish(claim.run, run, EventKind::started);
    const std::vector<JournalRow>& journal = histories->journals[claim.run];
    OfferedShares::restore_shared(histories->held, claim.run, run, journal);
    for (const JournalRow& row : journal) {
      if (const auto folded = run.apply(row); !folded) {
        advancer_.fail_run(claim.run, run, folded.error());
        break;
      }
      if (outbox.publishes_events()) run.mark_started(row.task.step);
    }
    run.take_step_ends();  // their events were published when they were journaled
    // A lost attempt may never have begun.
    const bool is_new = std::ranges::all_of(
        journal, [](const JournalRow& row) { return row.outcome == Outcome::lost; });
    if (is_new && flow->inputs) check_input(claim, *flow->inputs, run);
    if (claim.begun) attempts_.note_begun(claim.run, *claim.begun);
    if (claim.notifications.count == 0) continue;
    run.receive(claim.notifications);
    outbox.acknowledge(claim.run, claim.notifications.count);
  }
  return {};
}

// S3: what the database did not check of the input is checked before the first handler.
void WorkerLoop::check_input(const ClaimedRun& claim, const InputSchema& schema, OwnedRun& run) {
  auto fits = schema.check(claim.input);
  if (fits || fits.error().code != ErrorCode::invalid_input) return;
  fits.error().message = fmt::format("{}: {}", name(fits.error().code), fits.error().message);
  advancer_.fail_run(claim.run, run, fits.error());
}

Result<WorkerLoop::Histories> WorkerLoop::histories_of(const std::vector<ClaimedRun>& claimed) {
  std::vector<RunKey> runs;
  for (const ClaimedRun& run : claimed)
    if (run.has_history) runs.push_back(run.run);
  if (runs.empty()) return {};
  RetryLog told(loop_.log, "cannot read the journals of claimed runs",
                "the journals of claimed runs are read again");
  for (milliseconds pause = retry_first;; pause = longer(pause, loop_.options.lease)) {
    auto held = offered_.held_by_others(loop_.worker, runs);
    auto journals = held ? loop_.store.journal(runs) : std::unexpected(held.error());
    const Steady now = loop_.now();
    if (journals) {
      told.succeeded(now);
      return Histories{*std::move(held), *std::move(journals)};
    }
    if (!is_away(journals.error()) || must_end(now)) return std::unexpected(journals.error());
    told.failed(journals.error(), now);
    loop_.store.wait(pause);
  }
}

}  // namespace weir
