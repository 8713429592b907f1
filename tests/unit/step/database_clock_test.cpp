#include "step/database_clock.hpp"

#include <chrono>

#include <doctest/doctest.h>

namespace weir {

using namespace std::chrono_literals;

TEST_SUITE("step: the database's clock") {
  TEST_CASE("C4: the database's clock as a worker continues it is never ahead of the database's") {
    // The database is an hour ahead of the host, and answers as late as it may.
    const Steady began{10h};
    DatabaseClock clock;
    clock.set(Time{11h}, began, began + 80ms);
    CHECK(clock.at(began + 80ms) == Time{11h});
    clock.set(Time{11h + 1s + 10ms}, began + 1s, began + 1s + 20ms);  // a better measure
    CHECK(clock.at(began + 1s + 20ms) == Time{11h + 1s + 10ms});
    clock.set(Time{11h + 2s}, began + 2s, began + 2s + 90ms);  // a worse one changes nothing
    CHECK(clock.at(began + 2s + 90ms) == Time{11h + 2s + 80ms});
  }

  TEST_CASE("the database's clock goes on from each answer however the database's jumps") {
    const Steady began{10h};
    DatabaseClock clock;
    clock.set(Time{11h}, began, began);
    clock.set(Time{9h}, began + 1s, began + 1s + 10ms);
    CHECK(clock.at(began + 1s) == Time{9h});
    clock.set(Time{12h}, began + 2s, began + 2s + 10ms);
    CHECK(clock.at(began + 2s + 10ms) == Time{12h});
  }
}

}  // namespace weir
