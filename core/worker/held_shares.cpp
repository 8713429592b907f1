#include "worker/held_shares.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "worker/away.hpp"
#include "worker/pace.hpp"
#include "worker/share_pause.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds take_interval{1'000};  // in case a notification, which is a hint, is missing
constexpr milliseconds compare_interval{5'000};
constexpr milliseconds settle_after{20};  // so that results of a share are settled together
constexpr std::size_t settled_max = 128;
constexpr std::size_t settled_bytes_max = 4 * 1024 * 1024;
constexpr double ahead_seconds = 0.1;  // the next share is taken this long before slots are free

}  // namespace

std::shared_ptr<Attempt> HeldShares::next(Steady now, const WhichStep& may_begin) {
  if (must_reconcile_) return nullptr;
  for (auto& [id, share] : held_) {
    if (share.waiting.empty() || share.given_back ||
        !may_begin(share.flow.module, share.taken.step))
      continue;
    share.moved_at = now;
    Element element = std::move(share.waiting.front());
    share.waiting.pop_front();
    --waiting_;
    ++share.running;
    auto attempt = std::make_shared<Attempt>();
    attempt->share = id;
    attempt->run = share.taken.run;
    attempt->task = {share.taken.step, element.index};
    attempt->number = share.taken.attempt;
    attempt->flow = share.flow.module;
    attempt->plugin = share.flow.plugin;
    attempt->step = share.flow.module->steps[share.taken.step];
    attempt->options = share.flow.options[share.taken.step];
    attempt->input = std::move(element.input);
    attempt->run_id = share.taken.run_id;
    attempt->flow_input = share.run_input;
    return attempt;
  }
  return nullptr;
}

void HeldShares::for_each_waiting(
    const std::function<void(const FlowHandle& flow, std::size_t step, VersionId version,
                             std::size_t count)>& each) const {
  for (const auto& [id, share] : held_)
    if (!share.waiting.empty())
      each(share.flow.module, share.taken.step, share.taken.version, share.waiting.size());
}

void HeldShares::put_back(Attempt& attempt) {
  if (Share* const share = put_in_place(attempt)) share->given_back = true;
}

void HeldShares::put_off(Attempt& attempt) { put_in_place(attempt); }

HeldShares::Share* HeldShares::put_in_place(Attempt& attempt) {
  const auto found = held_.find(attempt.share);
  if (found == held_.end()) return nullptr;  // the share was dropped in the meantime
  Share& share = found->second;
  --share.running;
  ++waiting_;
  const auto place =
      std::ranges::lower_bound(share.waiting, attempt.task.index, {}, &Element::index);
  share.waiting.insert(place, {attempt.task.index, std::move(attempt.input)});
  return &share;
}

std::size_t HeldShares::give_back(std::size_t count, Steady now) {
  std::size_t given = 0;
  for (auto& [id, share] : held_) {
    if (given >= count) break;
    if (share.waiting.empty() || now < share.moved_at + Pace::waits_max) continue;
    share.given_back = true;
    given += share.waiting.size();
  }
  return given;
}

std::vector<VersionId> HeldShares::give_back(const WhichStep& which, Steady now) {
  std::vector<VersionId> versions;
  for (auto& [id, share] : held_) {
    if (share.waiting.empty() || now < share.moved_at + Pace::waits_max ||
        !which(share.flow.module, share.taken.step))
      continue;
    share.given_back = true;
    versions.push_back(share.taken.version);
  }
  return versions;
}

JournalRow HeldShares::row_of(const Attempt& attempt, AttemptResult result) {
  return {.task = attempt.task,
          .attempt = attempt.number,
          .outcome = result.outcome,
          .output = std::move(result.output),
          .error_code = std::move(result.error_code),
          .error = std::move(result.error),
          .retry_after = result.retry_after};
}

void HeldShares::settle(const Attempt& attempt, JournalRow row, Steady now) {
  const auto found = held_.find(attempt.share);
  if (found == held_.end()) return;  // the share was dropped in the meantime
  Share& share = found->second;
  --share.running;
  if (share.settled.empty()) share.settled_at = now;
  share.settled_bytes += row.error.size() + (row.output ? row.output->text().size() : 0);
  share.settled.push_back(std::move(row));
}

void HeldShares::note_written(const Attempt& attempt, JournalRow row, const Result<void>& written,
                              Steady now) {
  const auto found = held_.find(attempt.share);
  if (found == held_.end()) return;
  if (written) {
    row.output =
        Json();  // settle_share() finds the row in the journal: its output is not sent again
  } else if (written.error().code == ErrorCode::invalid_input) {
    log_.warn("run {}: {}", found->second.taken.run_id, to_string(written.error()));
    refuse(row, written.error());
  } else {
    found->second.unwritten = written.error();
  }
  settle(attempt, std::move(row), now);
}

bool HeldShares::doubt(ShareId share) {
  if (!held_.contains(share)) return false;
  lease_unconfirmed_ = true;
  must_reconcile_ = true;
  return true;
}

void HeldShares::refuse(JournalRow& row, const Error& why) {
  row.outcome = Outcome::failed_for_good;
  row.output.reset();
  row.error_code = "refused_value";
  row.error = fmt::format("the database cannot store its output: {}", why.message);
}

void HeldShares::state(std::vector<InFlightTask>& in_flight) const {
  for (const auto& [id, share] : held_)
    for (const JournalRow& row : share.settled)
      in_flight.push_back({share.taken.run, row.task, row.attempt, share.flow.plugin});
}

std::vector<ShareId> HeldShares::turn(WorkerId worker, Steady now,
                                      std::span<const VersionId> versions, const Capacity& capacity,
                                      bool takes) {
  std::vector<ShareId> dropped;
  if (store_ == nullptr || now < paused_until_) return dropped;
  if (compare_at_ && now >= *compare_at_) must_reconcile_ = true;
  if (must_reconcile_ && !reconcile(worker, now, dropped)) return dropped;
  if (!journal(worker, now, dropped)) return dropped;
  if (!return_unstarted(worker, now, versions)) return dropped;
  // One that is in doubt may be lost: then the database could give it anew.
  if (takes && !must_reconcile_ && !versions.empty() && now >= take_at_ && has_room(capacity))
    take(worker, now, versions, dropped, capacity);
  return dropped;
}

Steady HeldShares::next_turn(const Capacity& capacity, bool takes) const {
  if (store_ == nullptr) return Steady::max();
  if (must_reconcile_) return paused_until_;
  Steady next = takes && has_room(capacity) ? take_at_ : Steady::max();
  if (compare_at_) next = std::min(next, *compare_at_);
  for (const auto& [id, share] : held_) {
    if (share.given_back) next = std::min(next, share.retry_at);
    if (!share.settled.empty())
      next = std::min(next, std::max(share.settled_at + settle_after, share.retry_at));
  }
  return std::max(next, paused_until_);
}

void HeldShares::forget() {
  held_.clear();
  run_inputs_.clear();
  waiting_ = 0;
  must_reconcile_ = false;
  compare_at_.reset();
  lease_unconfirmed_ = false;
}

// After a failed call this turn ends. What was not done is done in a later turn, since every call can
// be repeated.
void HeldShares::postpone(const Error& failure, Steady now) {
  if (failure.code == ErrorCode::lease_lost)
    lease_unconfirmed_ = true;
  else if (!is_away(failure))
    log_.error("cannot take part in shared work: {}", to_string(failure));
  paused_until_ = now + pause_after_failure;
  must_reconcile_ = true;
}

// Compares with the database. A share that the worker holds there but not here came with an answer
// that was lost: it is returned.
bool HeldShares::reconcile(WorkerId worker, Steady now, std::vector<ShareId>& dropped) {
  const auto ids = store_->held_shares(worker);
  if (!ids) {
    postpone(ids.error(), now);
    return false;
  }
  bool all_returned = true;
  for (const ShareId id : *ids)
    if (!held_.contains(id))
      if (const auto returned = store_->return_share(worker, id, 0); !returned) {
        all_returned = false;
        if (is_locked(returned.error())) continue;
        postpone(returned.error(), now);
        return false;
      }
  const std::set<ShareId> mine(ids->begin(), ids->end());
  for (auto share = held_.begin(); share != held_.end();) {
    if (mine.contains(share->first)) {
      ++share;
      continue;
    }
    dropped.push_back(share->first);
    share = drop_lost(share);
  }
  must_reconcile_ = !all_returned;
  if (must_reconcile_) paused_until_ = now + pause_after_failure;
  if (compare_at_) compare_at_ = now + compare_interval;
  return true;
}

bool HeldShares::is_due(const Share& share, Steady now) const {
  if (share.settled.empty() || now < share.retry_at) return false;
  return share.unwritten || (share.running == 0 && share.waiting.empty()) ||
         share.settled.size() >= settled_max || share.settled_bytes >= settled_bytes_max ||
         now >= share.settled_at + settle_after;
}

bool HeldShares::journal(WorkerId worker, Steady now, std::vector<ShareId>& dropped) {
  for (auto entry = held_.begin(); entry != held_.end();) {
    auto& [id, share] = *entry;
    if (!is_due(share, now)) {
      ++entry;
      continue;
    }
    const auto journaled = journal(worker, id, share);
    if (!journaled && is_locked(journaled.error())) {
      share.retry_at = now + pause_after_failure;
      ++entry;
      continue;
    }
    if (!journaled && journaled.error().code == ErrorCode::lease_lost) {
      static_cast<void>(doubt(id));
      share.retry_at = now + pause_after_failure;
      ++entry;
      continue;
    }
    if (!journaled && is_away(journaled.error())) {
      postpone(journaled.error(), now);
      return false;
    }
    if (!journaled) {
      log_.info("run {}: a share of it is dropped: {}", share.taken.run_id,
                journaled.error().message);
      dropped.push_back(id);
      drop(entry);
      postpone(journaled.error(), now);  // a later turn returns it
      return false;
    }
    entry = share.running == 0 && share.waiting.empty() ? drop(entry) : std::next(entry);
  }
  return true;
}

// All results with one call. If the database cannot store one of them, each with its own: then that
// one is journaled as failed for good.
Result<void> HeldShares::journal(WorkerId worker, ShareId id, Share& share) {
  if (share.unwritten) return std::unexpected(*share.unwritten);
  while (!share.settled.empty()) {
    const std::size_t count = share.one_by_one ? 1 : share.settled.size();
    const auto left =
        store_->settle_share(worker, id, std::span(share.settled).first(count), share.flow.plugin);
    if (left) {
      share.settled.erase(share.settled.begin(),
                          share.settled.begin() + static_cast<std::ptrdiff_t>(count));
      continue;
    }
    JournalRow& first = share.settled.front();
    if (left.error().code != ErrorCode::invalid_input || (count == 1 && !first.output))
      return std::unexpected(left.error());
    if (count == 1) {
      log_.warn("run {}: {}", share.taken.run_id, to_string(left.error()));
      refuse(first, left.error());
    }
    share.one_by_one = true;
  }
  share.settled_bytes = 0;
  share.one_by_one = false;
  return {};
}

// L5, L9: elements that were not started are returned immediately if tasks of their flow may not
// start (any more), or if they would wait here, so that another worker can take them.
bool HeldShares::return_unstarted(WorkerId worker, Steady now,
                                  std::span<const VersionId> versions) {
  for (auto entry = held_.begin(); entry != held_.end();) {
    auto& [id, share] = *entry;
    if (share.waiting.empty() || now < share.retry_at ||
        (!share.given_back && std::ranges::find(versions, share.taken.version) != versions.end())) {
      ++entry;
      continue;
    }
    share.given_back = true;  // what may have been returned does not begin, also if nobody answers
    const auto returned = store_->return_share(worker, id, share.waiting.front().index);
    if (!returned && is_locked(returned.error())) {
      share.retry_at = now + pause_after_failure;
      ++entry;
      continue;
    }
    if (!returned) {
      postpone(returned.error(), now);
      return false;
    }
    waiting_ -= share.waiting.size();
    share.waiting.clear();
    share.given_back = false;
    entry = share.running == 0 && share.settled.empty() ? drop(entry) : std::next(entry);
  }
  return true;
}

// When tasks are short, the next share is taken before the last one has ended.
bool HeldShares::has_room(const Capacity& capacity) const {
  if (capacity.due > capacity.due_for_room) return false;
  if (capacity.in_flight + waiting_ < capacity.slots) return true;
  const double ahead = static_cast<double>(waiting_) * capacity.task_seconds;
  return !held_.empty() && capacity.task_seconds < ahead_seconds &&
         ahead < ahead_seconds * static_cast<double>(capacity.slots - capacity.blocked);
}

void HeldShares::take(WorkerId worker, Steady now, std::span<const VersionId> served,
                      std::vector<ShareId>& dropped, const Capacity& capacity) {
  std::vector<VersionId> versions;
  std::ranges::copy_if(served, std::back_inserter(versions),
                       [&](VersionId version) { return !capacity.crowded.contains(version); });
  if (versions.empty()) {
    take_at_ = now + take_interval;
    return;
  }
  std::vector<RunKey> known;
  for (const auto& [run, input] : run_inputs_) known.push_back(run);
  auto taken = store_->take_shares(worker, versions, 1, known);
  if (!taken) {
    compare_at_ = now;
    postpone(taken.error(), now);
    return;
  }
  found_none_ = taken->empty();
  if (found_none_) take_at_ = now + take_interval;
  for (TakenShare& share : *taken) {
    // A crash has lost that it was taken, and perhaps what became of it since.
    if (const auto held = held_.find(share.share); held != held_.end()) {
      dropped.push_back(share.share);
      drop_lost(held);
    }
    if (!add(worker, now, std::move(share))) return;
  }
}

bool HeldShares::add(WorkerId worker, Steady now, TakenShare taken) {
  const ServedFlows::Flow* const flow = flows_.find(taken.version);
  if (flow == nullptr) {
    const auto returned = store_->return_share(worker, taken.share, 0);
    if (!returned) postpone(returned.error(), now);
    return returned.has_value();
  }
  if (taken.run_input) run_inputs_.insert_or_assign(taken.run, *taken.run_input);
  std::erase_if(run_inputs_, [&](const auto& entry) {
    return entry.first != taken.run && std::ranges::none_of(held_, [&](const auto& held) {
             return held.second.taken.run == entry.first;
           });
  });
  Share share{.taken = {}, .flow = *flow, .run_input = run_inputs_.at(taken.run), .moved_at = now};
  for (std::size_t i = 0; i < taken.indexes.size(); ++i)
    share.waiting.push_back({taken.indexes[i], std::move(taken.inputs[i])});
  waiting_ += share.waiting.size();
  taken.inputs.clear();
  taken.run_input.reset();
  share.taken = std::move(taken);
  const ShareId id = share.taken.share;
  const bool is_new = held_.emplace(id, std::move(share)).second;
  WEIR_ASSERT(is_new);
  return true;
}

HeldShares::Shares::iterator HeldShares::drop_lost(Shares::iterator share) {
  log_.info(
      "run {}: a share of it is dropped: the database has ended it, or given it to another worker",
      share->second.taken.run_id);
  return drop(share);
}

HeldShares::Shares::iterator HeldShares::drop(Shares::iterator share) {
  waiting_ -= share->second.waiting.size();
  return held_.erase(share);
}

}  // namespace weir
