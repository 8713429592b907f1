// Against a copy of weir/registry/impl/keyed_register.hpp that checks and inserts under two locks.
#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: check-then-insert") {
    using Registry = weir::KeyedRegistry<int, int, weir::lockstep::Sync>;
    weir::schedules::find(weir::schedules::two_owners_want_one_key<Registry>,
                          "not one holder of a unique key");
  }
}
