#include "worker/open_settlements.hpp"

#include <algorithm>
#include <utility>

#include "worker/ask_pause.hpp"
#include "worker/away.hpp"

namespace weir {

void OpenSettlements::add(std::shared_ptr<Attempt> attempt, JournalRow otherwise) {
  open_.push_back(
      {.attempt = std::move(attempt), .otherwise = std::move(otherwise), .pause = ask_pause_first});
}

bool OpenSettlements::holds(RunKey run) const {
  return std::ranges::any_of(open_, [&](const Open& open) { return open.attempt->run == run; });
}

Result<void> OpenSettlements::resolve(
    WorkerId worker, Steady now, WorkerStore& store,
    const std::function<void(const Attempt&, const JournalRow&)>& resolved) {
  for (auto open = open_.begin(); open != open_.end();) {
    if (now < open->ask_at) {
      ++open;
      continue;
    }
    const Attempt& attempt = *open->attempt;
    const auto row = store.resolve(worker, {attempt.run, open->otherwise, attempt.plugin});
    if (row && *row) {
      resolved(attempt, **row);
      open = open_.erase(open);
      continue;
    }
    if (!row && !is_away(row.error())) return std::unexpected(row.error());
    open->ask_at = now + open->pause;
    open->pause = std::min(2 * open->pause, ask_pause_longest);
    ++open;
  }
  return {};
}

std::optional<Steady> OpenSettlements::due_at() const {
  std::optional<Steady> next;
  for (const Open& open : open_)
    if (!next || open.ask_at < *next) next = open.ask_at;
  return next;
}

void OpenSettlements::state(std::vector<InFlightTask>& in_flight) const {
  for (const Open& open : open_)
    in_flight.push_back(
        {open.attempt->run, open.attempt->task, open.attempt->number, open.attempt->plugin});
}

}  // namespace weir
