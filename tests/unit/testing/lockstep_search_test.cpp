#include <array>
#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/lockstep.hpp>

#include "unit/testing/exploring.hpp"

namespace weir {
namespace {

using lockstep::Options;
using lockstep::Report;
using lockstep::StrategyKind;
using lockstep::Sync;
using testing::explored;

constexpr std::array all_strategies = {StrategyKind::random, StrategyKind::pct, StrategyKind::pos,
                                       StrategyKind::depth_first};

// Two tasks that add one with a load and a store: an addition is lost when they cross.
void lost_update() {
  Sync::Atomic<int> count = 0;
  const auto add = [&] { count.store(count.load() + 1); };
  Sync::Thread a(add);
  Sync::Thread b(add);
  a.join();
  b.join();
  lockstep::require(count.load() == 2, "an addition was lost");
}

}  // namespace

TEST_SUITE("lockstep: search") {
  TEST_CASE(
      "every strategy finds a lost update within 200 schedules and repeats it from its token") {
    for (const StrategyKind strategy : all_strategies) {
      const Report report = explored({.strategy = strategy, .schedules = 200}, lost_update);
      INFO(name(strategy) << ": " << to_string(report));
      REQUIRE(report.failure);
      CHECK(report.failure->message == "an addition was lost");
      CHECK(report.failure->repeatable);
      const lockstep::LeaksIgnored ignored;
      const Report again = lockstep::repeat({}, report.failure->token, lost_update);
      REQUIRE(again.failure);
      CHECK(again.failure->schedule == report.failure->schedule);
      CHECK(again.failure->message == report.failure->message);
    }
  }

  TEST_CASE("the same seed goes the same way and another one does not") {
    const auto first_failure = [](std::uint64_t seed) {
      return explored({.seed = seed, .shrink = false}, lost_update).failure->schedule;
    };
    CHECK(first_failure(7) == first_failure(7));
    std::set<std::string> different;
    for (std::uint64_t seed = 1; seed < 1'000; seed += 50)
      different.insert(to_string(first_failure(seed)));
    CHECK(different.size() > 1);
  }

  TEST_CASE("a failure is shrunk to the fewest switches that show it") {
    for (const StrategyKind strategy : all_strategies) {
      const Report report = explored({.strategy = strategy}, lost_update);
      REQUIRE(report.failure);
      // Away from the one that has loaded, back to it, and to the body: fewer do not lose anything.
      CHECK(switches(report.failure->shortest) == 3);
      CHECK(to_string(report).find("repeat it with steps:") != std::string::npos);
    }
  }

  TEST_CASE("the report shows the message and the seed and every operation of the interleaving") {
    const Report report = explored({.strategy = StrategyKind::depth_first}, lost_update);
    CHECK(to_string(report) ==
          "an addition was lost\n"
          "  in schedule 5, repeat it with steps:0:1x2.2x3.1x1.0x2\n"
          "  with 3 switches (3 as found), repeat it with steps:0:1x2.2x3.1x1.0x2\n"
          "    0  task 0  joins task 1\n"
          "    1  task 1    load #1\n"
          "    2  task 2      load #1\n"
          "    3  task 2      store #1\n"
          "    4  task 2      ends\n"
          "    5  task 1    store #1\n"
          "    6  task 1    ends\n"
          "    7  task 0  load #1\n");
  }

  TEST_CASE("depth-first search runs every interleaving once") {
    // Two tasks of two operations each can be interleaved in 6 ways; the tasks log what they do.
    std::map<std::string, int> seen;
    const Report report = explored({.strategy = StrategyKind::depth_first, .preemptions = 10}, [&] {
      std::string log;
      Sync::Atomic<int> any = 0;
      const auto task = [&](char letter) {
        any.load();
        log += letter;
        any.load();
        log += letter;
      };
      Sync::Thread a(task, 'a');
      Sync::Thread b(task, 'b');
      a.join();
      b.join();
      ++seen[log];
    });
    CHECK(report.exhausted);
    CHECK(seen.size() == 6);
    CHECK(seen.contains("aabb"));
    CHECK(seen.contains("abab"));
    CHECK(seen.contains("baab"));
  }

  TEST_CASE("depth-first search without preemptions leaves a task only where it cannot go on") {
    std::set<std::string> seen;
    const Report report = explored({.strategy = StrategyKind::depth_first, .preemptions = 0}, [&] {
      std::string log;
      Sync::Atomic<int> any = 0;
      const auto task = [&](char letter) {
        for (int i = 0; i < 3; ++i) {
          any.load();
          log += letter;
        }
      };
      Sync::Thread a(task, 'a');
      Sync::Thread b(task, 'b');
      a.join();
      b.join();
      seen.insert(log);
    });
    CHECK(report.exhausted);
    CHECK(seen == std::set<std::string>{"aaabbb", "bbbaaa"});
  }

  TEST_CASE("a body that holds survives and says how many schedules were run") {
    const Report report = explored({.schedules = 300}, [] {
      Sync::Atomic<int> count = 0;
      Sync::Thread a([&] { count.fetch_add(1); });
      Sync::Thread b([&] { count.fetch_add(1); });
      a.join();
      b.join();
      lockstep::require(count.load() == 2, "an addition was lost");
    });
    CHECK(!report.failure);
    CHECK(report.schedules == 300);
    CHECK(to_string(report) == "300 schedules, no failure");
  }

  TEST_CASE("a body that depends on something outside the schedule is told of") {
    int calls = 0;
    const Report report = explored({}, [&] {
      Sync::Thread a([&] { lockstep::require(++calls != 3, "the third call"); });
      a.join();
    });
    REQUIRE(report.failure);
    CHECK(!report.failure->repeatable);
    CHECK(to_string(report).find("the body depends on something outside the schedule") !=
          std::string::npos);
  }

  TEST_CASE("the shortest interleaving repeats though what fails was drawn at random") {
    const auto body = [] {
      const std::uint64_t drawn = Sync::random();
      Sync::Thread a([] {});
      a.join();
      lockstep::require(drawn % 4 != 1, "drew a one");
    };
    const Report report = explored({}, body);
    REQUIRE(report.failure);
    const std::string text = to_string(report);
    const std::string token = text.substr(
        text.find("steps:"), text.find('\n', text.find("steps:")) - text.find("steps:"));
    INFO(text);
    const lockstep::LeaksIgnored ignored;
    const Report again = lockstep::repeat({}, token, body);
    REQUIRE_MESSAGE(again.failure, token);
    CHECK(again.failure->message == "drew a one");
    CHECK(again.failure->schedule == report.failure->shortest);
  }

  TEST_CASE("a thousand failures repeat from their tokens") {
    std::size_t failed = 0;
    for (std::uint64_t seed = 1; failed < 1'000; ++seed) {
      const Options options{.seed = seed, .schedules = 1, .shrink = false};
      const Report report = explored(options, lost_update);
      if (!report.failure) continue;
      ++failed;
      const lockstep::LeaksIgnored ignored;
      const Report again = lockstep::repeat(options, report.failure->token, lost_update);
      REQUIRE(again.failure);
      REQUIRE(again.failure->schedule == report.failure->schedule);
    }
  }
}

}  // namespace weir
