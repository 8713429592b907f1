// Against a copy of weir/registry/impl/keyed_locks.hpp that looks for an earlier holder and enters
// itself under two locks.
#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: two threads have the lock of a key") {
    using Registry = weir::KeyedRegistry<int, int, weir::lockstep::Sync>;
    weir::schedules::find(weir::schedules::one_thread_at_a_time_has_the_lock_of_a_key<Registry>,
                          "two threads have the lock of a key");
  }
}
