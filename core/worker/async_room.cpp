#include "worker/async_room.hpp"

#include <algorithm>
#include <vector>

#include "base/assert.hpp"

namespace weir {
namespace {

std::string_view flow_of(const Attempt& attempt) { return attempt.flow->definition.slug().view(); }

// Removes one of the calls that are counted for a key; true: it was the last.
template <class Counts, class Key>
bool remove_one(Counts& counts, const Key& key) {
  const auto found = counts.find(key);
  WEIR_ASSERT(found != counts.end());
  if (--found->second > 0) return false;
  counts.erase(found);
  return true;
}

}  // namespace

// The calls of a run share the run's input.
void AsyncRoom::enter(Attempt& attempt) {
  if (attempt.room != Attempt::Room::none) return;
  attempt.room = Attempt::Room::counts;
  attempt.room_bytes = attempt.input.text().size();
  if (const auto step = steps_.find(attempt.step); step != steps_.end())
    attempt.room_bytes += static_cast<std::size_t>(step->second.output_bytes);
  ++calls_;
  bytes_ += attempt.room_bytes;
  const auto flow = flows_.find(flow_of(attempt));
  if (flow != flows_.end())
    ++flow->second;
  else
    flows_.emplace(flow_of(attempt), 1);
  if (++runs_[attempt.run] == 1) bytes_ += attempt.flow_input.text().size();
}

void AsyncRoom::leave(Attempt& attempt) {
  if (attempt.room == Attempt::Room::none) return;
  if (attempt.room == Attempt::Room::is_over) --over_;
  attempt.room = Attempt::Room::none;
  --calls_;
  bytes_ -= attempt.room_bytes;
  const auto flow = flows_.find(flow_of(attempt));
  WEIR_ASSERT(flow != flows_.end());
  if (--flow->second == 0) flows_.erase(flow);
  if (remove_one(runs_, attempt.run)) bytes_ -= attempt.flow_input.text().size();
  given_back_.clear();
}

void AsyncRoom::note_deferred(Attempt& attempt) {
  steps_.try_emplace(attempt.step);
  enter(attempt);
}

void AsyncRoom::note_ended(Attempt& attempt) {
  const bool began = attempt.started.load(std::memory_order_acquire) != 0;
  // One that was completed before its handler returned has only its number.
  const bool deferred = attempt.deferred.load(std::memory_order_acquire) != 0 ||
                        attempt.deferred_as.load(std::memory_order_relaxed) != 0;
  if (deferred) {
    double& average = steps_[attempt.step].output_bytes;
    const std::size_t bytes = attempt.result.output ? attempt.result.output->text().size() : 0;
    average += (static_cast<double>(bytes) - average) / 8;
  } else if (began && !attempt.stop.cancelled() && !is_full()) {
    steps_.erase(attempt.step);
  }
  leave(attempt);
}

void AsyncRoom::note_over(Attempt& attempt) {
  if (attempt.deferred.load(std::memory_order_acquire) == 0) return leave(attempt);
  note_deferred(attempt);
  if (attempt.room == Attempt::Room::is_over) return;
  attempt.room = Attempt::Room::is_over;
  ++over_;
}

std::size_t AsyncRoom::calls_of(std::string_view flow) const {
  const auto found = flows_.find(flow);
  return found == flows_.end() ? 0 : found->second;
}

// Who wants the least is given it; what is left is divided among the others.
std::size_t AsyncRoom::share_of_each(const std::map<std::string_view, std::size_t>& waiting) const {
  if (calls_ == over_ && calls_ >= calls_max_) return unlimited;
  std::map<std::string_view, std::size_t> wanted = waiting;
  for (const auto& [flow, calls] : flows_) wanted[flow] += calls;
  std::vector<std::size_t> least_first;
  for (const auto& [flow, calls] : wanted) least_first.push_back(calls);
  std::ranges::sort(least_first);
  std::size_t left = calls_max_, flows = least_first.size();
  for (const std::size_t calls : least_first) {
    const std::size_t share = (left + flows - 1) / flows;
    if (calls > share) return std::max<std::size_t>(share, 1);
    left -= std::min(left, calls);
    --flows;
  }
  return unlimited;
}

}  // namespace weir
