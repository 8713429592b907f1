// Against a copy of weir/registry/impl/keyed_listening.hpp whose end does not wait for calls in
// progress.
#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: a listener is called after its subscription ended") {
    using Registry = weir::KeyedRegistry<int, int, weir::lockstep::Sync>;
    weir::schedules::find(
        weir::schedules::a_listener_is_not_called_once_its_subscription_ended<Registry>,
        "a call is in progress after the end");
  }
}
