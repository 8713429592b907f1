// Against a copy of weir/registry/impl/keyed_register.hpp that lets an owner in which has just
// ended.
#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: lookup after an owner ended") {
    using Registry = weir::KeyedRegistry<int, int, weir::lockstep::Sync>;
    weir::schedules::find(
        weir::schedules::an_owner_ends_while_another_thread_registers_for_it<Registry>,
        "an owner that has ended");
  }
}
