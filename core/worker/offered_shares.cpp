#include "worker/offered_shares.hpp"

#include <algorithm>
#include <utility>

#include "worker/away.hpp"
#include "worker/share_pause.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds receive_interval{200};    // in case a notification, a hint, is missing
constexpr milliseconds take_back_interval{200};  // sooner after a notification
constexpr milliseconds offer_interval{50};       // while other workers take what is offered
constexpr milliseconds no_helper_interval{250};  // while no other worker would take anything
constexpr std::size_t range_elements_max = 1'000;
constexpr std::size_t range_bytes_max = 1024 * 1024;
constexpr std::size_t offers_ahead = 2;  // for each worker that takes them

bool covers(std::span<const HeldRange> held, RunKey run, TaskId task, int attempt) {
  return std::ranges::any_of(held, [&](const HeldRange& range) {
    return range.run == run && range.step == task.step && range.attempt == attempt &&
           range.first <= task.index && task.index <= range.last;
  });
}

// The outcome of this attempt, or of a later one, is known now: the task is no longer shared. A row
// of an earlier attempt does not concern the attempt that is shared. Returns whether it was shared.
bool unshare(OwnedRun& run, TaskId task, int attempt) {
  const auto shared = run.shared.find(task);
  if (shared == run.shared.end() || shared->second > attempt) return false;
  run.shared.erase(shared);
  return true;
}

// How many of the run's due tasks the worker begins itself before long. Those that wait for room
// for deferred calls it does not.
std::size_t reserve_of(const OwnedRun& run, const Capacity& capacity) {
  const std::size_t reserve = capacity.window - std::min(capacity.window, capacity.slots);
  if (capacity.due_for_room == 0) return reserve;
  const std::size_t waiting =
      run.due_of([&](std::size_t step) { return capacity.defers(run.flow()->steps[step]); });
  return std::min(reserve, run.due() - waiting);
}

}  // namespace

Result<std::vector<HeldRange>> OfferedShares::held_by_others(WorkerId worker,
                                                             std::span<const RunKey> runs) {
  if (store_ == nullptr || runs.empty()) return std::vector<HeldRange>();
  return store_->take_back_shares(worker, runs);
}

void OfferedShares::restore_shared(std::span<const HeldRange> held, RunKey key, OwnedRun& run,
                                   std::span<const JournalRow> journal) {
  for (const HeldRange& range : held) {
    if (range.run != key) continue;
    for (std::size_t index = range.first; index <= range.last; ++index) {
      int& attempt = run.shared[{range.step, index}];
      attempt = std::max(attempt, range.attempt);
    }
  }
  for (const JournalRow& row : journal) unshare(run, row.task, row.attempt);
}

void OfferedShares::turn(WorkerId worker, Steady now, RunBook& runs, const Capacity& capacity,
                         const Fold& fold) {
  next_turn_ = Steady::max();
  if (store_ == nullptr) return;
  if (now < paused_until_) {
    next_turn_ = paused_until_;
    return;
  }
  const bool idle = capacity.due == 0 && capacity.in_flight < capacity.slots;
  if (!drop_unneeded(worker, now, runs)) return;
  if (notified_) take_back_at_ = now;
  if (!sharing(runs).empty()) {
    if ((notified_ || now >= receive_at_) && !receive_outcomes(worker, now, runs, fold)) return;
    if (idle && now >= take_back_at_ && !take_back(worker, now, runs, fold)) return;
  }
  if (!offer(worker, now, runs, capacity)) return;
  if (!sharing(runs).empty()) {
    next_turn_ = std::min(next_turn_, receive_at_);
    if (idle) next_turn_ = std::min(next_turn_, take_back_at_);
  }
}

// Whether the call succeeded. If not, this turn ends and a later one repeats the call: every call
// can be repeated.
bool OfferedShares::succeeded(Result<void> done, Steady now) {
  if (done) return true;
  if (done.error().code == ErrorCode::lease_lost)
    lease_unconfirmed_ = true;
  else if (!is_away(done.error()))
    log_.error("cannot share: {}", to_string(done.error()));
  paused_until_ = next_turn_ = now + pause_after_failure;
  return false;
}

std::vector<RunKey> OfferedShares::sharing(RunBook& runs) const {
  std::vector<RunKey> keys;
  for (const auto& [key, run] : runs)
    if (!run.leaving && !run.shared.empty()) keys.push_back(key);
  return keys;
}

// F5: ends the shares of steps that were skipped while other workers ran elements of them.
// One that a handler's transaction has locked (C9) is left to a later turn.
bool OfferedShares::drop_unneeded(WorkerId worker, Steady now, RunBook& runs) {
  if (now < drop_at_) {
    next_turn_ = drop_at_;
    return true;
  }
  for (auto& [key, run] : runs) {
    if (run.leaving || run.state().end()) continue;
    for (auto task = run.shared.begin(); task != run.shared.end();) {
      const std::size_t step = task->first.step;
      const auto last = run.shared.lower_bound({step + 1, 0});
      if (!run.state().still_needed(task->first)) {
        const auto dropped = store_->drop_shares(worker, key, step);
        if (!dropped && is_locked(dropped.error())) {
          next_turn_ = drop_at_ = now + pause_after_failure;
          task = last;
          continue;
        }
        if (!succeeded(dropped ? Result<void>() : std::unexpected(dropped.error()), now))
          return false;
        run.shared.erase(task, last);
        // What was offered, perhaps, and not confirmed is not offered again.
        if (offered_run_ == key)
          std::erase_if(offering_, [&](const OfferedRange& range) { return range.step == step; });
      }
      task = last;
    }
  }
  return true;
}

bool OfferedShares::receive_outcomes(WorkerId worker, Steady now, RunBook& runs, const Fold& fold) {
  const std::vector<std::int64_t> acknowledged(received_.begin(), received_.end());
  const auto results = store_->fetch_share_results(worker, sharing(runs), acknowledged);
  if (!results) return succeeded(std::unexpected(results.error()), now);
  received_.clear();
  notified_ = false;
  receive_at_ = now + receive_interval;
  for (const ShareResult& result : *results) {
    received_.insert(result.notification);
    OwnedRun* const run = runs.find(result.run);
    if (run != nullptr && unshare(*run, result.row.task, result.row.attempt))
      fold(result.run, *run, result.row);
  }
  return true;
}

bool OfferedShares::take_back(WorkerId worker, Steady now, RunBook& runs, const Fold& fold) {
  const std::vector<RunKey> keys = sharing(runs);
  if (keys.empty()) return true;
  const auto held = store_->take_back_shares(worker, keys);
  if (!held) return succeeded(std::unexpected(held.error()), now);
  offering_.clear();
  take_back_at_ = now + take_back_interval;
  if (!receive_outcomes(worker, now, runs, fold)) return false;
  for (const RunKey key : keys) {
    OwnedRun& run = runs.at(key);
    for (auto task = run.shared.begin(); task != run.shared.end();) {
      if (covers(*held, key, task->first, task->second)) {
        ++task;
        continue;
      }
      run.make_due({.task = task->first, .attempt = task->second});
      task = run.shared.erase(task);
    }
  }
  return true;
}

bool OfferedShares::offer(WorkerId worker, Steady now, RunBook& runs, const Capacity& capacity) {
  if (!offering_.empty() && runs.find(offered_run_) == nullptr) offering_.clear();
  if (offering_.empty()) {
    RunKey key = 0;
    OwnedRun* widest = nullptr;
    for (auto& [each, run] : runs)
      if (!run.leaving && (widest == nullptr || run.due() > widest->due()) &&
          run.due() > reserve_of(run, capacity) + 1) {
        key = each;
        widest = &run;
      }
    if (widest == nullptr) return true;
    if (now < offer_at_) {
      next_turn_ = std::min(next_turn_, offer_at_);
      return true;
    }
    const auto helpers = store_->helpers_for(worker, key);
    if (!helpers) return succeeded(std::unexpected(helpers.error()), now);
    offer_at_ = now + (helpers->slots.empty() ? no_helper_interval : offer_interval);
    next_turn_ = std::min(next_turn_, offer_at_);
    offered_run_ = key;
    offering_ = cut(*widest, *helpers, capacity);
    if (offering_.empty()) return true;
  }
  const auto offered = store_->offer_shares(worker, offered_run_, offering_);
  if (!offered && offered.error().code == ErrorCode::lease_lost) offering_.clear();
  if (!succeeded(offered ? Result<void>() : std::unexpected(offered.error()), now)) return false;
  log_.debug("run {}: {} ranges are offered", runs.at(offered_run_).id(), offering_.size());
  offering_.clear();
  return true;
}

// Cuts some ranges in advance for each worker, each at most half of the worker's part of all that
// is due, so that ranges get smaller towards the end.
std::vector<OfferedRange> OfferedShares::cut(OwnedRun& run, const Helpers& helpers,
                                             const Capacity& capacity) const {
  std::vector<OfferedRange> ranges;
  std::size_t all_slots = capacity.slots;
  for (const std::size_t slots : helpers.slots) all_slots += slots;
  const std::size_t reserve = reserve_of(run, capacity);
  const double rounds = std::max(1.0, range_seconds / std::max(capacity.task_seconds, 1e-6));
  const std::size_t wanted = helpers.slots.size() * offers_ahead;
  for (std::size_t i = helpers.available; i < wanted && run.due() > reserve; ++i) {
    const std::size_t helper = i % helpers.slots.size();
    const std::size_t slots = helpers.slots[helper], room = helpers.async_calls[helper];
    const std::size_t part = std::max<std::size_t>(1, run.due() * slots / (2 * all_slots));
    const auto quick = static_cast<std::size_t>(
        std::min(rounds * static_cast<double>(slots), static_cast<double>(range_elements_max)));
    // Calls that are deferred begin as far as there is room.
    const std::size_t roomy = std::min(range_elements_max, std::max(quick, room));
    const std::vector<ReadyTask> tasks = run.take_wide([&](std::size_t step) {
      return std::min(
          {part, capacity.defers(run.flow()->steps[step]) ? roomy : quick, run.due() - reserve});
    });
    if (tasks.empty()) break;
    std::size_t bytes = 0, first = tasks.size();
    std::vector<Json> inputs;
    while (first > 0 && (inputs.empty() || bytes < range_bytes_max)) {
      inputs.push_back(run.state().input_of(tasks[--first].task));
      bytes += inputs.back().text().size();
    }
    for (std::size_t left = 0; left < first; ++left) run.make_due(tasks[left]);
    std::ranges::reverse(inputs);
    for (std::size_t taken = first; taken < tasks.size(); ++taken)
      run.shared.emplace(tasks[taken].task, tasks[taken].attempt);
    ranges.push_back({.step = tasks[first].task.step,
                      .attempt = tasks[first].attempt,
                      .first = tasks[first].task.index,
                      .inputs = std::move(inputs)});
  }
  return ranges;
}

void OfferedShares::forget() {
  lease_unconfirmed_ = false;
  received_.clear();
  offering_.clear();
}

}  // namespace weir
