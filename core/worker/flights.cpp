#include "worker/flights.hpp"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

// When its handler began; nullopt while it waits for a slot.
std::optional<Steady> begin_of(const Attempt& attempt) {
  const Steady::rep started = attempt.started.load(std::memory_order_acquire);
  return started == 0 ? std::nullopt : std::optional(Steady(Steady::duration(started)));
}

// nullopt while the attempt waits for a slot: its time has not begun.
std::optional<Steady> limit_of(const Attempt& attempt, std::optional<Steady> stopped_at) {
  const auto begun = begin_of(attempt);
  if (!begun) return std::nullopt;
  return stopped_at ? std::max(*stopped_at, *begun) + stop_grace : *begun + attempt.options.timeout;
}

// When its limit may have passed: one that has no slot yet starts at `now` at the earliest.
Steady earliest_limit(const Attempt& attempt, std::optional<Steady> stopped_at, Steady now) {
  return limit_of(attempt, stopped_at)
      .value_or(now + (stopped_at ? stop_grace : attempt.options.timeout));
}

void lower(std::optional<Steady>& next, Steady limit) {
  if (!next || limit < *next) next = limit;
}

}  // namespace

void EndingFlights::add(std::shared_ptr<Attempt> attempt, Steady now) {
  const std::uint64_t ticket = attempt->ticket;
  ending_.emplace(ticket, Ending{.attempt = std::move(attempt), .stopped_at = now});
}

std::vector<std::shared_ptr<Attempt>> EndingFlights::take_overdue(Steady now) {
  std::vector<std::shared_ptr<Attempt>> overdue;
  std::erase_if(ending_, [&](auto& entry) {
    auto& [attempt, stopped_at] = entry.second;
    const auto limit = limit_of(*attempt, stopped_at);
    if (!limit || now < *limit) return false;
    overdue.push_back(std::move(attempt));
    return true;
  });
  return overdue;
}

std::optional<Steady> EndingFlights::next_limit(Steady now) const {
  std::optional<Steady> next;
  for (const auto& [ticket, ending] : ending_)
    lower(next, earliest_limit(*ending.attempt, ending.stopped_at, now));
  return next;
}

void Flights::add(std::shared_ptr<Attempt> attempt) {
  const std::uint64_t ticket = attempt->ticket;
  flights_.emplace(ticket, Flight{.attempt = std::move(attempt)});
}

std::optional<Flights::Flight> Flights::take(std::uint64_t ticket) {
  auto node = flights_.extract(ticket);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

std::vector<Flights::Flight> Flights::take_if(const std::function<bool(const Attempt&)>& chosen,
                                              Steady now) {
  std::vector<Flight> taken;
  for (auto flight = flights_.begin(); flight != flights_.end();) {
    const std::shared_ptr<Attempt>& attempt = flight->second.attempt;
    if (!chosen(*attempt)) {
      ++flight;
      continue;
    }
    attempt->stop.cancel();
    ending_.add(attempt, now);
    taken.push_back(std::move(flight->second));
    flight = flights_.erase(flight);
  }
  return taken;
}

std::vector<Flights::Flight> Flights::take_run(RunKey run, Steady now) {
  return take_if([run](const Attempt& attempt) { return attempt.run == run && attempt.share == 0; },
                 now);
}

std::vector<Flights::Flight> Flights::take_share(ShareId share, Steady now) {
  return take_if([share](const Attempt& attempt) { return attempt.share == share; }, now);
}

void Flights::stop_if(RunKey run, const std::function<bool(TaskId)>& unwanted, Steady now) {
  for (auto& [ticket, flight] : flights_) {
    Attempt& attempt = *flight.attempt;
    if (flight.stopped_at || attempt.run != run || attempt.share != 0 || !unwanted(attempt.task))
      continue;
    flight.stopped_at = now;
    attempt.stop.cancel();
  }
}

void Flights::forget(Steady now) {
  static_cast<void>(take_if([](const Attempt&) { return true; }, now));
}

std::vector<std::uint64_t> Flights::enforce(Steady now) {
  std::vector<std::uint64_t> stuck;
  for (auto& [ticket, flight] : flights_) {
    const std::optional<Steady> limit = limit_of(*flight.attempt, flight.stopped_at);
    if (!limit || now < *limit) continue;
    if (flight.stopped_at) {
      stuck.push_back(ticket);
    } else {
      flight.stopped_at = now;
      flight.timed_out = true;
      flight.attempt->stop.cancel();
    }
  }
  return stuck;
}

std::optional<Steady> Flights::next_limit(Steady now) const {
  std::optional<Steady> next;
  for (const auto& [ticket, flight] : flights_)
    lower(next, earliest_limit(*flight.attempt, flight.stopped_at, now));
  return next;
}

std::size_t Flights::begun_by(Steady time) const {
  return static_cast<std::size_t>(std::ranges::count_if(flights_, [&](const auto& entry) {
    const Attempt& attempt = *entry.second.attempt;
    const auto begun = begin_of(attempt);
    return begun && *begun <= time && attempt.deferred.load(std::memory_order_acquire) == 0;
  }));
}

bool Flights::any_waits_since(Steady time) const {
  return std::ranges::any_of(flights_, [&](const auto& entry) {
    const Attempt& attempt = *entry.second.attempt;
    return attempt.chosen <= time && !begin_of(attempt);
  });
}

std::vector<InFlightTask> Flights::stated() const {
  std::vector<InFlightTask> all;
  all.reserve(flights_.size());
  for (const auto& [ticket, flight] : flights_)
    all.push_back({flight.attempt->run, flight.attempt->task, flight.attempt->number,
                   flight.attempt->plugin});
  return all;
}

}  // namespace weir
