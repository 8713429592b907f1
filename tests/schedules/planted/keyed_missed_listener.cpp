// Against a copy of weir/registry/impl/keyed_notify.hpp that forgets a change.
#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: missed listener") {
    using Registry = weir::KeyedRegistry<int, int, weir::lockstep::Sync>;
    weir::schedules::find(weir::schedules::listeners_are_notified_of_each_change_in_order<Registry>,
                          "a listener missed a change");
  }
}
