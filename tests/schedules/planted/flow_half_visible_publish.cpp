// Against a copy of registry/impl/flow_registry.hpp that publishes the index by module in one store
// and the index by slug in the next.
#include <doctest/doctest.h>

#include "schedules/flow_registry_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: half-visible two-key publish") {
    weir::schedules::find(weir::schedules::a_section_against_a_two_key_swap,
                          "a slug leads to another flow than its module");
  }
}
