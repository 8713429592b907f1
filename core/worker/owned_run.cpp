#include "worker/owned_run.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace weir {
namespace {

bool has_step_of(StepKind kind, const FlowDefinition& flow) {
  return std::ranges::find(flow.steps(), kind, &StepDefinition::kind) != flow.steps().end();
}

}  // namespace

OwnedRun::OwnedRun(const ClaimedRun& claimed, FlowHandle flow, std::vector<StepOptions> options,
                   std::optional<PluginId> plugin)
    : id_(claimed.id),
      version_(claimed.version),
      priority_(claimed.priority),
      flow_(std::move(flow)),
      plugin_(plugin),
      relations_{.parent = claimed.has_parent,
                 .children = has_step_of(StepKind::flow, flow_->definition),
                 .shares = has_step_of(StepKind::map, flow_->definition)},
      state_(flow_->definition, std::move(options), claimed.run, claimed.input,
             claimed.available_at),
      has_waits_(has_step_of(StepKind::wait, flow_->definition)) {}

Result<void> OwnedRun::apply(const JournalRow& row) {
  changed_ = true;
  journal_bytes_ += row.error.size() + (row.output ? row.output->text().size() : 0);
  return state_.apply(row);
}

void OwnedRun::receive(const RunNotifications& notifications) {
  changed_ = true;
  notifications_.signals.insert(notifications.signals.begin(), notifications.signals.end());
  notifications_.children.insert(notifications.children.begin(), notifications.children.end());
  if (notifications.cancelled) state_.cancel(*notifications.cancelled);
}

OwnedRun::Refreshed OwnedRun::refresh(Time now) {
  Refreshed found{.changed = std::exchange(changed_, false)};
  sorted_ = true;
  if (found.changed) {
    changed_at_ = now;
    found.skips = state_.take_skips();
    if (!found.skips.empty()) {
      const auto unwanted = [&](const ReadyTask& ready) {
        return !state_.still_needed(ready.task);
      };
      for (auto due = due_.begin(); due != due_.end(); due = drop_if_empty(due))
        due_count_ -=
            std::erase_if(due->second, [&](const Due& each) { return unwanted(each.ready); });
      if (set_aside) std::erase_if(*set_aside, unwanted);
      std::erase_if(child_starts_, unwanted);
      std::erase_if(children_, unwanted);
      std::erase_if(sleeping_, [&](const auto& entry) { return unwanted(entry.second); });
    }
    for (const ReadyTask& ready : state_.take_ready()) sort(ready, now);
    if (has_waits_) waits_ = state_.waits();
  }
  while (!sleeping_.empty() && sleeping_.begin()->first <= now)
    sort(sleeping_.extract(sleeping_.begin()).mapped(), now);
  return found;
}

void OwnedRun::sort(const ReadyTask& ready, Time now) {
  if (const auto held = shared.find(ready.task);
      held != shared.end() && held->second == ready.attempt)
    return;
  if (ready.not_before > now)
    sleeping_.emplace(ready.not_before, ready);
  else if (flow_->definition.steps()[ready.task.step].kind == StepKind::flow)
    child_starts_.push_back(ready);
  else if (set_aside)
    set_aside->push_back(ready);
  else
    add_due(ready);
}

void OwnedRun::add_due(const ReadyTask& task) {
  due_[task.task.step].push_back({next_place_++, task});
  ++due_count_;
}

std::size_t OwnedRun::due_of(const WhichStep& which) const {
  std::size_t count = 0;
  for (const auto& [step, due] : due_)
    if (which(step)) count += due.size();
  return count;
}

bool OwnedRun::is_set_aside(TaskId task, int attempt) const {
  return set_aside && std::ranges::any_of(*set_aside, [&](const ReadyTask& ready) {
           return ready.task == task && ready.attempt == attempt;
         });
}

void OwnedRun::take_up(TaskId task) {
  const auto found = std::ranges::find(*set_aside, task, &ReadyTask::task);
  WEIR_ASSERT(found != set_aside->end());
  add_due(*found);
  set_aside->erase(found);
}

std::vector<std::size_t> OwnedRun::late_waits(Time now) const {
  std::vector<std::size_t> late;
  if (now < close_waits_at_) return late;
  for (const OpenWait& wait : waits_)
    if (wait.until <= now && !notifications_.signals.contains(wait.step) &&
        !closed_waits_.contains(wait.step))
      late.push_back(wait.step);
  return late;
}

void OwnedRun::note_unclosed_waits(Time now) {
  close_waits_at_ = now + close_waits_pause_;
  close_waits_pause_ = std::min(2 * close_waits_pause_, ask_pause_longest);
}

void OwnedRun::close_wait(std::size_t step, std::optional<Json> payload) {
  close_waits_pause_ = ask_pause_first;
  closed_waits_.insert_or_assign(step, std::move(payload));
}

std::vector<JournalRow> OwnedRun::ended_waits(Time now) const {
  std::vector<JournalRow> rows;
  for (const OpenWait& wait : waits_) {
    std::optional<Json> payload;
    if (const auto signal = notifications_.signals.find(wait.step);
        signal != notifications_.signals.end())
      payload = signal->second;
    else if (const auto closed = closed_waits_.find(wait.step); closed != closed_waits_.end())
      payload = closed->second;
    else
      continue;
    const Time began = wait.until - state_.options(wait.step).timeout;
    rows.push_back({.task = {.step = wait.step, .index = 0},
                    .attempt = 1,
                    .outcome = Outcome::completed,
                    .output = wait_output(payload),
                    .started_at = std::min(began, now),
                    .ended_at = now});
  }
  return rows;
}

ReadyTask OwnedRun::take_child_start() {
  const ReadyTask taken = child_starts_.front();
  child_starts_.pop_front();
  children_.push_back(taken);
  return taken;
}

void OwnedRun::forget_child(const ReadyTask& child) {
  std::erase_if(children_, [&](const ReadyTask& open) { return open.task == child.task; });
}

void OwnedRun::retry_start(const ReadyTask& child) {
  forget_child(child);
  child_starts_.push_back(child);
}

std::vector<std::pair<ReadyTask, ChildRunEnd>> OwnedRun::take_child_ends() {
  std::vector<std::pair<ReadyTask, ChildRunEnd>> ends;
  if (notifications_.children.empty()) return ends;
  const auto ended = [&](const ReadyTask& child) {
    const auto end = notifications_.children.find({child.task.step, child.attempt});
    if (end == notifications_.children.end()) return false;
    ends.emplace_back(child, std::move(end->second));
    notifications_.children.erase(end);
    return true;
  };
  std::erase_if(child_starts_, ended);
  std::erase_if(children_, ended);
  return ends;
}

bool OwnedRun::follows(const ReadyTask& before, const ReadyTask& after) const {
  return after.task.step == before.task.step && after.task.index == before.task.index + 1 &&
         after.attempt == before.attempt &&
         flow_->definition.steps()[after.task.step].kind == StepKind::map;
}

std::vector<ReadyTask> OwnedRun::take_wide(
    const std::function<std::size_t(std::size_t step)>& count_of) {
  std::vector<ReadyTask> taken;
  for (auto due = due_.begin(); due != due_.end() && taken.empty(); due = drop_if_empty(due))
    if (const std::size_t count = count_of(due->first); count > 0)
      taken = take_wide(due->second, count);
  due_count_ -= taken.size();
  return taken;
}

std::vector<ReadyTask> OwnedRun::take_wide(std::deque<Due>& due, std::size_t count) {
  constexpr int tries_max = 64;
  for (int tries = 0; tries < tries_max && due.size() > 1; ++tries) {
    if (follows(due[due.size() - 2].ready, due.back().ready)) {
      std::size_t first = due.size() - 1;
      while (first > 0 && due.size() - first < count &&
             follows(due[first - 1].ready, due[first].ready))
        --first;
      std::vector<ReadyTask> taken;
      for (std::size_t i = first; i < due.size(); ++i) taken.push_back(due[i].ready);
      due.erase(due.begin() + static_cast<std::ptrdiff_t>(first), due.end());
      return taken;
    }
    // Not part of a range, such as a retry: it runs sooner.
    due.push_front({due.front().place, due.back().ready});
    due.pop_back();
  }
  return {};
}

std::optional<ReadyTask> OwnedRun::take_due(const WhichStep& which) {
  auto first = due_.end();
  for (auto due = due_.begin(); due != due_.end(); ++due)
    if (which(due->first) &&
        (first == due_.end() || due->second.front().place < first->second.front().place))
      first = due;
  if (first == due_.end()) return std::nullopt;
  const ReadyTask task = first->second.front().ready;
  first->second.pop_front();
  --due_count_;
  drop_if_empty(first);
  return task;
}

std::optional<Time> OwnedRun::wakes_at() const {
  std::optional<Time> earliest;
  if (!sleeping_.empty()) earliest = sleeping_.begin()->first;
  for (const OpenWait& wait : waits_) {
    const Time at = std::max(wait.until, close_waits_at_);
    if (!earliest || at < *earliest) earliest = at;
  }
  return earliest;
}

std::optional<Time> OwnedRun::sleeps_until() const {
  if (!due_.empty() || !child_starts_.empty() || !shared.empty() || has_set_aside())
    return std::nullopt;
  const Time at = wakes_at().value_or(on_notification_only);
  return children_.empty() ? at : std::min<Time>(at, changed_at_ + look_again_after);
}

std::chrono::milliseconds OwnedRun::parks_after() const {
  return park_after + std::chrono::seconds(journal_bytes_ / reload_bytes);
}

bool OwnedRun::parks(Time now) const {
  const auto until = sleeps_until();
  if (in_flight > 0 || !until || *until <= now + parks_after()) return false;
  return children_.empty() || now >= changed_at_ + parks_after();
}

bool OwnedRun::waits_for_slot(Time now) const {
  return in_flight == 0 && !due_.empty() && !changed_ && !ending && now >= changed_at_ + park_after;
}

std::optional<Time> OwnedRun::parks_at(Time now) const {
  const Time at = changed_at_ + parks_after();
  return children_.empty() || in_flight > 0 || at <= now ? std::nullopt : std::optional(at);
}

bool OwnedRun::is_stuck() const {
  return in_flight == 0 && due_.empty() && child_starts_.empty() && children_.empty() &&
         shared.empty() && !has_set_aside() && !wakes_at();
}

void OwnedRun::note_ended_attempts(std::size_t count) {
  WEIR_ASSERT(in_flight >= count);
  in_flight -= count;
}

bool OwnedRun::mark_started(std::size_t step) {
  if (started_.empty()) started_.resize(flow_->definition.steps().size());
  if (started_[step]) return false;
  started_[step] = true;
  return true;
}

}  // namespace weir
