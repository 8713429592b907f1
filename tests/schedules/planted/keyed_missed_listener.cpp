// Against a copy of weir/registry/impl/keyed_telling.hpp that forgets a change.
#define KeyedRegistry KeyedRegistryThatMissesListeners  // another class than the real one
#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: missed listener") {
    using Registry = weir::KeyedRegistry<int, int, weir::lockstep::Sync>;
    weir::schedules::find(weir::schedules::listeners_hear_of_each_change_in_turn<Registry>,
                          "a listener missed a change");
  }
}
