/// Lockstep: tests of concurrent classes under interleavings that the test chooses.
///
/// A class that takes a Sync policy (weir/sync.hpp) is run with lockstep::Sync: its threads become
/// tasks on one thread, every operation of a mutex, condition, atomic or clock is a point at which
/// a strategy chooses the task that continues, and time is virtual. So schedules are chosen, not
/// left to luck: thousands run in a second, a failure comes with a seed that repeats it exactly,
/// and depth-first search tries all schedules up to a number of preemptions.
///
///     const lockstep::Report report = lockstep::explore({.schedules = 10'000}, [] {
///       Registry<lockstep::Sync> registry;
///       lockstep::Sync::Thread a([&] { registry.add("k"); });
///       lockstep::Sync::Thread b([&] { registry.add("k"); });
///       a.join();
///       b.join();
///       lockstep::require(registry.size() == 1, "two entries for one key");
///     });
///     CHECK_MESSAGE(!report.failure, to_string(report));
///
/// Found besides what the body requires: deadlocks, lost wake-ups, livelocks, exceptions out of a
/// task, misuse of mutexes and threads, use of a primitive after its destruction. Schedules are also
/// those in which something rare happens: a wake-up without a notification, a weak exchange that
/// fails, a yield that returns at once; and with Options::weak_memory, a load that gives an old
/// value.
///
/// Not found: what weak memory does beyond old values (docs/lockstep.md). Races on plain data
/// between points are not detected: use TSan for them. The body must depend on nothing outside the
/// schedule: no real clock, no real threads, no addresses, no global state.
///
/// [one thread at a time for each explore(); several may run in parallel]
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

#include <weir/testing/lockstep/search.hpp>
#include <weir/testing/lockstep/sync.hpp>

namespace weir::lockstep {

/// Fails the schedule unless `holds`: nothing of it runs after that. In a task only.
inline void require(bool holds, std::string_view message) {
  if (holds) return;
  if (Scheduler* scheduler = Scheduler::current()) scheduler->fail(std::string(message));
  throw std::logic_error("lockstep::require outside a schedule: " + std::string(message));
}

/// A point of the body's own, for what it does between operations: other tasks may run here.
inline void point() { detail::point(Operation::point, 0); }

}  // namespace weir::lockstep
