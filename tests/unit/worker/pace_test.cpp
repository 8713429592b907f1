#include "worker/pace.hpp"

#include <doctest/doctest.h>

using namespace weir;
using namespace std::chrono_literals;

TEST_SUITE("worker: pace") {
  TEST_CASE("a worker that has run nothing has one attempt for each slot") {
    for (const std::size_t slots : {1U, 8U, 1'000U}) {
      const Pace pace(slots);
      CHECK(pace.window() == slots);
      CHECK(pace.hold() == slots);
    }
  }

  TEST_CASE("a sample counts as one eighth") {
    Pace pace(1);
    CHECK(pace.task_seconds() == 1.0);
    pace.ran(9s);
    CHECK(pace.task_seconds() == 2.0);
    pace.ran(2s);
    CHECK(pace.task_seconds() == 2.0);
    pace.ran(0s);
    CHECK(pace.task_seconds() == 1.75);
  }

  TEST_CASE("the window has what the slots can finish during an exchange and hold twice that") {
    Pace pace(4);
    pace.exchanged(8'001ms);  // now 1.001 s on average, as long as a task
    CHECK(pace.window() == 8);
    CHECK(pace.hold() == 16);
    pace.ran(9s);  // now 2 s: half a task
    CHECK(pace.window() == 6);
    CHECK(pace.hold() == 12);
  }

  TEST_CASE("an exchange begins half of the window or as many as there are slots") {
    Pace pace(4);
    CHECK(pace.batch() == 4);
    pace.exchanged(8'001ms);
    CHECK(pace.window() == 8);
    CHECK(pace.batch() == 4);
    for (int i = 0; i < 1'000; ++i) pace.ran(0s);
    CHECK(pace.window() == 512);
    CHECK(pace.batch() == 256);
    pace.set_slots(0, 0);
    CHECK(pace.batch() == 0);
  }

  TEST_CASE("the results of a window have 16 MiB together, or each slot has one") {
    Pace pace(4);
    for (int i = 0; i < 1'000; ++i) pace.exchanged(1s);
    for (int i = 0; i < 1'000; ++i) pace.ran(0s);
    for (int i = 0; i < 1'000; ++i) pace.resulted(100);
    CHECK(pace.window() == 512);
    for (int i = 0; i < 1'000; ++i) pace.resulted(1024 * 1024);
    CHECK(pace.window() == 16);
    CHECK(pace.hold() == 32);
    for (int i = 0; i < 1'000; ++i) pace.resulted(64 * 1024 * 1024);
    CHECK(pace.window() == 4);
    CHECK(pace.hold() == 4);
  }

  TEST_CASE("long tasks are held for the slots alone so that idle workers can have the others") {
    Pace pace(4);
    for (int i = 0; i < 100; ++i) pace.ran(60s);
    for (int i = 0; i < 100; ++i) pace.exchanged(10ms);
    CHECK(pace.window() == 4);
    CHECK(pace.hold() == 4);
  }

  TEST_CASE(
      "however short the tasks the window ends at 512 and however many slots it has them all") {
    for (const std::size_t slots : {1U, 511U, 512U, 600U}) {
      Pace pace(slots);
      for (int i = 0; i < 1'000; ++i) pace.ran(0s);
      for (int i = 0; i < 100; ++i) pace.exchanged(10s);
      CHECK(pace.window() == std::max<std::size_t>(512, slots));
      CHECK(pace.hold() == (slots < 512 ? 1'024 : slots));
    }
  }

  TEST_CASE("L9: blocked slots finish nothing and no more is held than the others can start") {
    Pace pace(8);
    for (int i = 0; i < 100; ++i) pace.ran(1ms);
    for (int i = 0; i < 100; ++i) pace.exchanged(10ms);
    const std::size_t quick = pace.window();
    CHECK(quick >= 80);
    pace.set_slots(8, 4);
    CHECK(pace.window() == doctest::Approx(4.0 + static_cast<double>(quick) / 2.0).epsilon(0.05));
    CHECK(pace.hold() == 2 * pace.window() - 4);
    pace.set_slots(8, 8);
    CHECK(pace.window() == 8);
    CHECK(pace.hold() == 8);
    pace.set_slots(8, 9);  // one is just being replaced
    CHECK(pace.window() == 8);
    pace.set_slots(8, 0);
    CHECK(pace.window() == quick);
    CHECK(pace.hold() == 2 * quick);
  }

  TEST_CASE("F4: for slots that are lost nothing is held") {
    Pace pace(8);
    pace.set_slots(3, 0);
    CHECK(pace.window() == 3);
    CHECK(pace.hold() == 3);
    pace.set_slots(0, 0);
    CHECK(pace.window() == 0);
    CHECK(pace.hold() == 0);
  }
}
