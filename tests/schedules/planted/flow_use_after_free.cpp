// Against a copy of registry/impl/flow_registry.hpp that ends what a commit took out at once, and
// not when the readers that could have found it have left.
#include <doctest/doctest.h>

#include "schedules/flow_registry_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: use after free in reclamation") {
    weir::schedules::find(weir::schedules::a_section_against_an_unregistration,
                          "a reader's library was closed under it");
  }
}
