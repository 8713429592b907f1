#include "worker/run_book.hpp"

#include <algorithm>
#include <functional>

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

std::size_t RunBook::due_of(const WhichStep& which) const {
  std::size_t due = 0;
  for (const auto& [key, run] : runs_)
    if (!run.leaving && run.due() > 0)
      due += run.due_of([&](std::size_t step) { return which(run, step); });
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

// A run that may give a task; the first of the heap of its flow has the fewest attempts in flight.
struct RunBook::Candidate {
  std::size_t in_flight;
  RunKey key;
  OwnedRun* run;
  auto place() const { return std::pair(in_flight, key); }
};

void RunBook::take_due(std::size_t count, const Choice& choice,
                       const std::function<void(RunKey, OwnedRun&, const ReadyTask&)>& take) {
  for (auto entry = by_priority_.begin(); entry != by_priority_.end() && count > 0;) {
    std::map<std::string_view, std::vector<Candidate>> flows;
    const int priority = entry->first.first;
    for (; entry != by_priority_.end() && entry->first.first == priority; ++entry) {
      OwnedRun& run = *entry->second;
      if (run.leaving || run.due() == 0 || choice.is_held(run)) continue;
      flows[run.flow()->definition.slug().view()].push_back(
          {run.in_flight, entry->first.second, &run});
    }
    count = take_due(std::move(flows), count, choice, take);
  }
}

// Of runs of one priority; returns how many more may be taken.
std::size_t RunBook::take_due(
    std::map<std::string_view, std::vector<Candidate>> flows, std::size_t count,
    const Choice& choice, const std::function<void(RunKey, OwnedRun&, const ReadyTask&)>& take) {
  for (auto& [flow, runs] : flows) std::ranges::make_heap(runs, std::greater(), &Candidate::place);
  while (count > 0 && !flows.empty()) {
    auto flow = flows.begin();
    if (flows.size() > 1)
      flow = std::ranges::min_element(flows, {},
                                      [&](const auto& entry) { return choice.load(entry.first); });
    std::vector<Candidate>& runs = flow->second;
    std::ranges::pop_heap(runs, std::greater(), &Candidate::place);
    Candidate& next = runs.back();
    OwnedRun& run = *next.run;
    const auto task = run.take_due([&](std::size_t step) { return choice.may_begin(run, step); });
    if (task) {
      --count;
      ++next.in_flight;
      take(next.key, run, *task);
    }
    if (task && run.due() > 0)
      std::ranges::push_heap(runs, std::greater(), &Candidate::place);
    else
      runs.pop_back();
    if (runs.empty()) flows.erase(flow);
  }
  return count;
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
