// Against a copy of weir/registry/impl/keyed_owners.hpp whose second end() of an owner does not
// wait for the first.
#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: an end that returns before the entries are gone") {
    using Registry = weir::KeyedRegistry<int, std::shared_ptr<int>, weir::lockstep::Sync>;
    weir::schedules::find(weir::schedules::whichever_end_returns_the_entries_are_gone<Registry>,
                          "an end() returned before");
  }
}
