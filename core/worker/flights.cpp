#include "worker/flights.hpp"

#include <utility>

namespace weir {
namespace {

void stop(const Flights::Flight& flight) { flight.attempt->stop.cancel(); }

// nullopt while the attempt waits for a free slot: its time has not begun.
std::optional<Steady> limit_of(const Flights::Flight& flight) {
  if (flight.timed_out_at) return *flight.timed_out_at + Flights::stop_grace;
  const Steady::rep started = flight.attempt->started.load(std::memory_order_acquire);
  if (started == 0) return std::nullopt;
  return Steady(Steady::duration(started)) + flight.attempt->options.timeout;
}

}  // namespace

void Flights::add(std::shared_ptr<Attempt> attempt) {
  const std::uint64_t ticket = attempt->ticket;
  flights_.emplace(ticket, Flight{std::move(attempt), {}});
}

std::optional<Flights::Flight> Flights::take(std::uint64_t ticket) {
  auto node = flights_.extract(ticket);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped());
}

std::vector<Flights::Flight> Flights::take_if(const std::function<bool(const Attempt&)>& chosen) {
  std::vector<Flight> taken;
  for (auto flight = flights_.begin(); flight != flights_.end();) {
    if (!chosen(*flight->second.attempt)) {
      ++flight;
      continue;
    }
    stop(flight->second);
    taken.push_back(std::move(flight->second));
    flight = flights_.erase(flight);
  }
  return taken;
}

std::vector<Flights::Flight> Flights::take_run(RunKey run) {
  return take_if(
      [run](const Attempt& attempt) { return attempt.run == run && attempt.share == 0; });
}

std::vector<Flights::Flight> Flights::take_share(ShareId share) {
  return take_if([share](const Attempt& attempt) { return attempt.share == share; });
}

void Flights::stop_if(RunKey run, const std::function<bool(TaskId)>& unwanted) {
  for (const auto& [ticket, flight] : flights_)
    if (flight.attempt->run == run && flight.attempt->share == 0 && unwanted(flight.attempt->task))
      stop(flight);
}

void Flights::forget() {
  for (const auto& [ticket, flight] : flights_) stop(flight);
  flights_.clear();
}

std::vector<std::uint64_t> Flights::enforce(Steady now) {
  std::vector<std::uint64_t> stuck;
  for (auto& [ticket, flight] : flights_) {
    const std::optional<Steady> limit = limit_of(flight);
    if (!limit || now < *limit) continue;
    if (flight.timed_out_at) {
      stuck.push_back(ticket);
    } else {
      flight.timed_out_at = now;
      stop(flight);
    }
  }
  return stuck;
}

std::optional<Steady> Flights::next_limit(Steady now) const {
  std::optional<Steady> next;
  for (const auto& [ticket, flight] : flights_) {
    // One that has no slot yet starts at `now` at the earliest.
    const Steady limit = limit_of(flight).value_or(now + flight.attempt->options.timeout);
    if (!next || limit < *next) next = limit;
  }
  return next;
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
