// Against a copy of weir/registry/impl/keyed_parts.hpp that changes values in a part that readers
// share.
#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a large bucket is changed in place") {
    using Registry = weir::KeyedRegistry<int, int, weir::schedules::FewAreMany>;
    weir::schedules::find(weir::schedules::a_dispatch_sees_many_entries_at_one_moment<Registry>,
                          "a dispatch sees entries of two moments");
  }
}
