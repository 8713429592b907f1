#include "worker/run_book.hpp"

#include <algorithm>

namespace weir {

OwnedRun& RunBook::add(const ClaimedRun& claim, const FlowHandle& flow,
                       const std::vector<StepOptions>& options, std::optional<PluginId> plugin) {
  OwnedRun& run = runs_.try_emplace(claim.run, claim, flow, options, plugin).first->second;
  by_priority_.emplace(std::pair(-claim.priority, claim.run), &run);
  return run;
}

OwnedRun* RunBook::find(RunKey key) {
  const auto found = runs_.find(key);
  return found == runs_.end() ? nullptr : &found->second;
}

void RunBook::remove_leaving(const std::function<bool(RunKey)>& has_left) {
  std::erase_if(runs_, [&](const auto& entry) {
    const auto& [key, run] = entry;
    if (!run.leaving || !has_left(key)) return false;
    by_priority_.erase({-run.priority(), key});
    return true;
  });
}

void RunBook::remove(RunKey key) {
  by_priority_.erase({-runs_.at(key).priority(), key});
  runs_.erase(key);
}

void RunBook::clear() {
  by_priority_.clear();
  runs_.clear();
}

std::size_t RunBook::due() const {
  std::size_t due = 0;
  for (const auto& [key, run] : runs_)
    if (!run.leaving) due += run.due();
  return due;
}

std::optional<Time> RunBook::wakes_at(Time now) const {
  std::optional<Time> earliest;
  for (const auto& [key, run] : runs_) {
    if (run.leaving) continue;
    for (const auto& time : {run.wakes_at(), run.parks_at(now)})
      if (time && (!earliest || *time < *earliest)) earliest = time;
  }
  return earliest;
}

void RunBook::take_due(std::size_t count, const std::function<bool(const OwnedRun&)>& is_held,
                       const std::function<void(RunKey, OwnedRun&, const ReadyTask&)>& take) {
  for (auto first = by_priority_.begin(); first != by_priority_.end() && count > 0;) {
    const auto last = std::find_if(first, by_priority_.end(), [&](const auto& entry) {
      return entry.first.first != first->first.first;
    });
    for (bool found = true; found && count > 0;) {
      found = false;
      for (auto entry = first; entry != last && count > 0; ++entry) {
        OwnedRun& run = *entry->second;
        if (run.leaving || run.due() == 0 || is_held(run)) continue;
        found = true;
        --count;
        take(entry->first.second, run, run.take_due());
      }
    }
    first = last;
  }
}

void RunBook::give_back(std::size_t count, Time now,
                        const std::function<void(RunKey, OwnedRun&)>& give) {
  for (auto entry = by_priority_.rbegin(); entry != by_priority_.rend() && count > 0; ++entry) {
    OwnedRun& run = *entry->second;
    if (run.leaving || !run.waits_for_slot(now)) continue;
    count -= std::min(count, run.due());
    give(entry->first.second, run);
  }
}

}  // namespace weir
