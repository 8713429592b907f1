#include "worker/large_writes.hpp"

#include <variant>

#include "base/assert.hpp"

namespace weir {

void LargeWrites::write(WorkerId worker, SettledAttempt settled, std::shared_ptr<Attempt> attempt) {
  WEIR_ASSERT(is_large(settled.row));
  const std::size_t bytes = settled.row.output->text().size();
  settled.share = attempt ? attempt->share : 0;
  bytes_ += bytes;
  results_.push_back({.task = {settled.run, settled.row.task, settled.row.attempt, settled.plugin},
                      .attempt = std::move(attempt),
                      .bytes = bytes});
  store_.write_large(worker, std::move(settled));
}

void LargeWrites::write(WorkerId worker, EndedRun ended) {
  ending_.push_back(ended.run);
  store_.write_large(worker, std::move(ended));
}

bool LargeWrites::holds(RunKey run) const {
  return std::ranges::find(ending_, run) != ending_.end() ||
         std::ranges::any_of(results_, [&](const WrittenResult& each) { return each.is_of(run); });
}

std::vector<std::shared_ptr<Attempt>> LargeWrites::withdraw(RunKey run) {
  std::vector<std::shared_ptr<Attempt>> withdrawn;
  std::erase_if(results_, [&](WrittenResult& each) {
    if (!each.is_of(run) || !take_back(each)) return false;
    withdrawn.push_back(std::move(each.attempt));
    return true;
  });
  return withdrawn;
}

void LargeWrites::withdraw_share(ShareId share) {
  std::erase_if(results_, [&](WrittenResult& each) {
    if (each.share() != share || each.dropped) return false;
    each.dropped = true;
    return take_back(each);
  });
}

bool LargeWrites::take_back(const WrittenResult& result) {
  const InFlightTask& task = result.task;
  if (!store_.withdraw_large(task.run, task.task, task.attempt, result.share())) return false;
  bytes_ -= result.bytes;
  return true;
}

void LargeWrites::state(std::vector<InFlightTask>& in_flight) const {
  for (const WrittenResult& each : results_)
    if (each.attempt && !each.dropped) in_flight.push_back(each.task);
}

std::vector<LargeWrites::Written> LargeWrites::take_written() {
  std::vector<Written> all;
  if (empty()) return all;
  for (LargeWritten& written : store_.take_written()) {
    std::shared_ptr<Attempt> attempt;
    if (const auto* const ended = std::get_if<EndedRun>(&written.write)) {
      std::erase(ending_, ended->run);
    } else {
      const auto found = std::ranges::find_if(results_, [&](const WrittenResult& each) {
        return is_result(written.write, each.task.run, each.task.task, each.task.attempt,
                         each.share());
      });
      WEIR_ASSERT(found != results_.end());
      bytes_ -= found->bytes;
      const bool dropped = found->dropped;
      attempt = std::move(found->attempt);
      results_.erase(found);
      if (dropped) continue;
    }
    all.push_back({std::move(written), std::move(attempt)});
  }
  return all;
}

void LargeWrites::forget() {
  if (!empty()) store_.forget_large();
  results_.clear();
  ending_.clear();
  bytes_ = 0;
}

}  // namespace weir
