#include <doctest/doctest.h>

#include <weir/testing/lockstep.hpp>

#include "support/seeds.hpp"

namespace weir {

using lockstep::Choice;
using lockstep::Schedule;

TEST_SUITE("lockstep: schedules as text") {
  TEST_CASE("runs are counted and everything else stands for itself") {
    const Schedule schedule = {
        {Choice::Kind::run, 0},  {Choice::Kind::run, 0},  {Choice::Kind::run, 12},
        {Choice::Kind::wake, 3}, {Choice::Kind::tick, 0}, {Choice::Kind::tick, 0},
        {Choice::Kind::pick, 1}, {Choice::Kind::rare, 2}, {Choice::Kind::run, 0}};
    CHECK(to_string(schedule) == "0x2.12x1.w3.t.t.p1.r2.0x1");
    CHECK(switches(schedule) == 2);
  }

  TEST_CASE("a schedule read back is the same schedule") {
    testing::for_seeds(200, [](std::mt19937_64& random) {
      Schedule schedule;
      for (std::size_t length = random() % 40; length > 0; --length) {
        const auto kind = static_cast<Choice::Kind>(random() % 5);
        const auto task = static_cast<lockstep::TaskNumber>(random() % 64);
        schedule.push_back({kind, kind == Choice::Kind::tick ? lockstep::TaskNumber{0} : task});
      }
      const std::string text = to_string(schedule);
      INFO(text);
      CHECK(lockstep::parse_schedule(text) == schedule);
    });
  }

  TEST_CASE("text that is no schedule is refused") {
    for (const char* text : {"x", "1", "1x", "x1", "64x1", "1x1.", ".", "w", "p64", "r", "f1",
                             "1x9999999999", "1x1,2x1", "t1", " 1x1"})
      CHECK_MESSAGE(!lockstep::parse_schedule(text), text);
    for (const char* token :
         {"", "random", "random:", "random:x", "random:1x", "pct:1", "pct:1:2", "depth_first:1",
          "steps:x", "steps:", "steps:1", "steps:1x1", "steps:1:x"})
      CHECK_THROWS_AS(lockstep::repeat({}, token, [] {}), std::invalid_argument);
  }
}

}  // namespace weir
