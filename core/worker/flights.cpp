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
  const Ticket ticket = attempt->ticket;
  by_owner_.emplace(owner_of(*attempt), ticket);
  Flight& flight = flights_.emplace(ticket, Flight{.attempt = std::move(attempt)}).first->second;
  on_slots_.emplace(ticket, &flight);
}

void Flights::note_deferred(const std::function<void(Attempt&)>& deferred) {
  std::erase_if(on_slots_, [&](const auto& entry) {
    auto& [ticket, flight] = entry;
    if (flight->attempt->deferred.load(std::memory_order_acquire) == 0) return false;
    set_limit(ticket, *flight);
    deferred(*flight->attempt);
    return true;
  });
}

void Flights::for_each_on_slots(const std::function<void(const Attempt&)>& each) const {
  for (const auto& [ticket, flight] : on_slots_) each(*flight->attempt);
}

void Flights::set_limit(Ticket ticket, Flight& flight) {
  if (flight.limit) limits_.erase({*flight.limit, ticket});
  flight.limit = limit_of(*flight.attempt, flight.stopped_at);
  if (flight.limit) limits_.emplace(*flight.limit, ticket);
}

Flights::Flight Flights::remove(std::map<Ticket, Flight>::iterator flight) {
  const Ticket ticket = flight->first;
  Flight removed = std::move(flight->second);
  by_owner_.erase({owner_of(*removed.attempt), ticket});
  if (removed.limit)
    limits_.erase({*removed.limit, ticket});
  else
    on_slots_.erase(ticket);
  flights_.erase(flight);
  return removed;
}

std::optional<Flights::Flight> Flights::take(std::uint64_t ticket) {
  const auto flight = flights_.find(ticket);
  if (flight == flights_.end()) return std::nullopt;
  return remove(flight);
}

std::vector<Flights::Flight> Flights::take_all_of(Owner owner, Steady now) {
  std::vector<Flight> taken;
  for (auto next = by_owner_.lower_bound({owner, 0});
       next != by_owner_.end() && next->first == owner; next = by_owner_.lower_bound({owner, 0})) {
    taken.push_back(remove(flights_.find(next->second)));
    taken.back().attempt->stop.cancel();
    ending_.add(taken.back().attempt, now);
  }
  return taken;
}

std::vector<Flights::Flight> Flights::take_run(RunKey run, Steady now) {
  return take_all_of({0, run}, now);
}

std::vector<Flights::Flight> Flights::take_share(ShareId share, Steady now) {
  return take_all_of({share, 0}, now);
}

void Flights::stop(Ticket ticket, Flight& flight, Steady now) {
  flight.stopped_at = now;
  if (flight.limit) set_limit(ticket, flight);
  flight.attempt->stop.cancel();
}

void Flights::stop_if(RunKey run, const std::function<bool(TaskId)>& unwanted, Steady now) {
  const Owner owner{0, run};
  for (auto each = by_owner_.lower_bound({owner, 0});
       each != by_owner_.end() && each->first == owner; ++each) {
    Flight& flight = flights_.at(each->second);
    if (!flight.stopped_at && unwanted(flight.attempt->task)) stop(each->second, flight, now);
  }
}

void Flights::forget(Steady now) {
  for (auto& [ticket, flight] : flights_) {
    flight.attempt->stop.cancel();
    ending_.add(std::move(flight.attempt), now);
  }
  flights_.clear();
  on_slots_.clear();
  limits_.clear();
  by_owner_.clear();
}

std::vector<std::uint64_t> Flights::enforce(Steady now) {
  std::vector<Ticket> over, stuck;
  for (const auto& [ticket, flight] : on_slots_)
    if (const auto limit = limit_of(*flight->attempt, flight->stopped_at); limit && now >= *limit)
      over.push_back(ticket);
  for (auto next = limits_.begin(); next != limits_.end() && now >= next->first; ++next)
    over.push_back(next->second);
  for (const Ticket ticket : over) {
    Flight& flight = flights_.at(ticket);
    if (flight.stopped_at) {
      stuck.push_back(ticket);
    } else {
      flight.timed_out = true;
      stop(ticket, flight, now);
    }
  }
  return stuck;
}

std::optional<Steady> Flights::next_limit(Steady now) const {
  std::optional<Steady> next;
  if (!limits_.empty()) next = limits_.begin()->first;
  for (const auto& [ticket, flight] : on_slots_)
    lower(next, earliest_limit(*flight->attempt, flight->stopped_at, now));
  return next;
}

std::size_t Flights::begun_by(Steady time) const {
  return static_cast<std::size_t>(std::ranges::count_if(on_slots_, [&](const auto& entry) {
    const Attempt& attempt = *entry.second->attempt;
    const auto begun = begin_of(attempt);
    return begun && *begun <= time && attempt.deferred.load(std::memory_order_acquire) == 0;
  }));
}

bool Flights::any_waits_since(Steady time) const {
  return std::ranges::any_of(on_slots_, [&](const auto& entry) {
    const Attempt& attempt = *entry.second->attempt;
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
