#include <doctest/doctest.h>

#include "puppets.hpp"

namespace weir {
namespace {

// Three children; b is of the kind that is tried, and dies. What is done then, and how all stand.
struct Fate {
  std::string journal;
  std::string states;
};

Fate after_death_of_b(Strategy strategy, Restart kind, std::optional<Error> error,
                      Restart others = Restart::permanent) {
  Puppets puppets;
  const auto supervisor =
      started<>({.strategy = strategy, .limit = never_gives_up},
                {puppets.child("a", others), puppets.child("b", kind), puppets.child("c", others)});
  CHECK(puppets.journal() == "+a +b +c");
  puppets.die("b", std::move(error));
  settle(*supervisor);
  return {puppets.journal(), states(*supervisor)};
}

const std::string all_run = "a running, b running, c running";

}  // namespace

TEST_SUITE("supervisor: strategies") {
  TEST_CASE("one_for_one starts again the one that died and no other") {
    const Fate fate = after_death_of_b(Strategy::one_for_one, Restart::permanent, fault());
    CHECK(fate.journal == "+b");
    CHECK(fate.states == all_run);
  }

  TEST_CASE("rest_for_one starts again the one that died and those after it") {
    const Fate fate = after_death_of_b(Strategy::rest_for_one, Restart::permanent, fault());
    CHECK(fate.journal == "-c +b +c");
    CHECK(fate.states == all_run);
  }

  TEST_CASE("one_for_all stops all in reverse order and starts all again") {
    const Fate fate = after_death_of_b(Strategy::one_for_all, Restart::permanent, fault());
    CHECK(fate.journal == "-c -a +a +b +c");
    CHECK(fate.states == all_run);
  }

  TEST_CASE("a permanent child is started again though it ended without an error") {
    CHECK(after_death_of_b(Strategy::one_for_one, Restart::permanent, {}).journal == "+b");
    CHECK(after_death_of_b(Strategy::rest_for_one, Restart::permanent, {}).journal == "-c +b +c");
    CHECK(after_death_of_b(Strategy::one_for_all, Restart::permanent, {}).journal ==
          "-c -a +a +b +c");
  }

  TEST_CASE("a transient child is started again after an error under every strategy") {
    CHECK(after_death_of_b(Strategy::one_for_one, Restart::transient, fault()).journal == "+b");
    CHECK(after_death_of_b(Strategy::rest_for_one, Restart::transient, fault()).journal ==
          "-c +b +c");
    CHECK(after_death_of_b(Strategy::one_for_all, Restart::transient, fault()).journal ==
          "-c -a +a +b +c");
  }

  TEST_CASE("a transient child that ended well stays ended and the others are left alone") {
    for (const Strategy strategy :
         {Strategy::one_for_one, Strategy::rest_for_one, Strategy::one_for_all}) {
      const Fate fate = after_death_of_b(strategy, Restart::transient, {});
      CHECK(fate.journal == "");
      CHECK(fate.states == "a running, b ended, c running");
    }
  }

  TEST_CASE("a temporary child that died is forgotten and the others are left alone") {
    for (const Strategy strategy :
         {Strategy::one_for_one, Strategy::rest_for_one, Strategy::one_for_all})
      for (const auto& error : {std::optional<Error>(), std::optional(fault())}) {
        const Fate fate = after_death_of_b(strategy, Restart::temporary, error);
        CHECK(fate.journal == "");
        CHECK(fate.states == "a running, c running");
      }
  }

  TEST_CASE("temporary children that are stopped for another's sake are forgotten") {
    const Fate fate =
        after_death_of_b(Strategy::one_for_all, Restart::permanent, fault(), Restart::temporary);
    CHECK(fate.journal == "-c -a +b");
    CHECK(fate.states == "b running");
  }

  TEST_CASE("transient children that are stopped for another's sake are started again") {
    CHECK(after_death_of_b(Strategy::one_for_all, Restart::permanent, fault(), Restart::transient)
              .journal == "-c -a +a +b +c");
  }

  TEST_CASE("a transient child that had ended well begins anew with its group") {
    Puppets puppets;
    const auto supervisor = started<>({.strategy = Strategy::one_for_all, .limit = never_gives_up},
                                      {puppets.child("a", Restart::transient), puppets.child("b")});
    puppets.die("a", {});
    settle(*supervisor);
    CHECK(states(*supervisor) == "a ended, b running");
    puppets.journal();
    puppets.die("b");
    settle(*supervisor);
    CHECK(puppets.journal() == "+a +b");
  }

  TEST_CASE("a child that was terminated stays so when its group begins anew") {
    Puppets puppets;
    const auto supervisor = started<>({.strategy = Strategy::one_for_all, .limit = never_gives_up},
                                      {puppets.child("a"), puppets.child("b")});
    REQUIRE(supervisor->terminate_child("a"));
    puppets.journal();
    puppets.die("b");
    settle(*supervisor);
    CHECK(puppets.journal() == "+b");
    CHECK(states(*supervisor) == "a stopped, b running");
  }

  TEST_CASE("a child that ended well and was then terminated does not begin anew") {
    Puppets puppets;
    const auto supervisor = started<>({.strategy = Strategy::one_for_all, .limit = never_gives_up},
                                      {puppets.child("a", Restart::transient), puppets.child("b")});
    puppets.die("a", {});
    settle(*supervisor);
    REQUIRE(supervisor->terminate_child("a"));
    puppets.die("b");
    settle(*supervisor);
    CHECK(puppets.journal() == "+a +b +b");
    CHECK(states(*supervisor) == "a stopped, b running");
  }

  TEST_CASE("two deaths at once are one restart of the group") {
    Puppets puppets;
    Gate begun;
    Gate gate;
    const auto supervisor =
        started<>({.strategy = Strategy::one_for_all,
                   .limit = {.max_restarts = 1, .max_seconds = std::chrono::hours(1)}},
                  {puppets.child("a"),
                   puppets.child("b"),
                   {.id = "slow",
                    .start = [&](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
                      return child_stopped_by([] {});
                    },
                    .shutdown = Shutdown::at_once()}});
    std::thread busy([&] {  // both deaths are heard of only after this call
      static_cast<void>(supervisor->start_child(
          {.id = "block", .start = [&](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
             begun.open();
             gate.pass();
             return std::unexpected(fault());
           }}));
    });
    begun.pass();
    puppets.die("a");
    puppets.die("b");
    gate.open();
    busy.join();
    settle(*supervisor);
    CHECK(states(*supervisor) == "a running, b running, slow running");
  }

  TEST_CASE("a restart that fails is one more death and tried again") {
    Puppets puppets;
    const auto supervisor = started<>({.strategy = Strategy::rest_for_one, .limit = never_gives_up},
                                      {puppets.child("a"), puppets.child("b"), puppets.child("c")});
    puppets.journal();
    puppets.fail_starts("b", 2);
    puppets.die("a");
    settle(*supervisor);
    CHECK(puppets.journal() == "-c -b +a !b !b +b +c");
    CHECK(states(*supervisor) == all_run);
    CHECK(supervisor->children()[1].deaths == 2);
    CHECK(supervisor->children()[1].starts == 2);
  }

  TEST_CASE("a restart of all that fails begins with the first again") {
    Puppets puppets;
    const auto supervisor = started<>({.strategy = Strategy::one_for_all, .limit = never_gives_up},
                                      {puppets.child("a"), puppets.child("b"), puppets.child("c")});
    puppets.journal();
    puppets.fail_starts("b", 1);
    puppets.die("c");
    settle(*supervisor);
    CHECK(puppets.journal() == "-b -a +a !b -a +a +b +c");
  }

  TEST_CASE("what an earlier life of a child says is not heard") {
    Puppets puppets;
    std::vector<ChildEnd> ends;
    const auto supervisor =
        started<>({.limit = never_gives_up},
                  {{.id = "a", .start = [&](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
                      ends.push_back(end);
                      return child_stopped_by([end] { end.normally(); });
                    }}});
    ends[0].with(fault());
    ends[0].with(fault("again"));
    settle(*supervisor);
    REQUIRE(ends.size() == 2);
    ends[0].with(fault("late"));
    settle(*supervisor);
    CHECK(ends.size() == 2);
    CHECK(supervisor->children()[0].deaths == 1);
    CHECK(supervisor->children()[0].last_error == fault());
  }

  TEST_CASE("a child that ended before its start returned is started again") {
    int starts = 0;
    const auto supervisor =
        started<>({.limit = never_gives_up},
                  {{.id = "a", .start = [&](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
                      if (++starts < 3) end.with(fault());
                      return child_stopped_by([end] { end.normally(); });
                    }}});
    settle(*supervisor);
    CHECK(starts == 3);
  }
}

}  // namespace weir
