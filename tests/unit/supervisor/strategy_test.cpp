#include <doctest/doctest.h>

#include "fake_children.hpp"

namespace weir {
namespace {

// Three children; b is of the kind that is tried, and dies. What is done then, and how all stand.
struct Outcome {
  std::string journal;
  std::string states;
};

Outcome after_death_of_b(Strategy strategy, Restart kind, std::optional<Error> error,
                         Restart others = Restart::permanent) {
  FakeChildren fakes;
  const auto supervisor =
      started<>({.strategy = strategy, .limit = never_gives_up},
                {fakes.child("a", others), fakes.child("b", kind), fakes.child("c", others)});
  CHECK(fakes.journal() == "+a +b +c");
  fakes.die("b", std::move(error));
  settle(*supervisor);
  return {fakes.journal(), states(*supervisor)};
}

const std::string all_run = "a running, b running, c running";

}  // namespace

TEST_SUITE("supervisor: strategies") {
  TEST_CASE("one_for_one starts again the one that died and no other") {
    const Outcome outcome = after_death_of_b(Strategy::one_for_one, Restart::permanent, fault());
    CHECK(outcome.journal == "+b");
    CHECK(outcome.states == all_run);
  }

  TEST_CASE("rest_for_one starts again the one that died and those after it") {
    const Outcome outcome = after_death_of_b(Strategy::rest_for_one, Restart::permanent, fault());
    CHECK(outcome.journal == "-c +b +c");
    CHECK(outcome.states == all_run);
  }

  TEST_CASE("one_for_all stops all in reverse order and starts all again") {
    const Outcome outcome = after_death_of_b(Strategy::one_for_all, Restart::permanent, fault());
    CHECK(outcome.journal == "-c -a +a +b +c");
    CHECK(outcome.states == all_run);
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
      const Outcome outcome = after_death_of_b(strategy, Restart::transient, {});
      CHECK(outcome.journal == "");
      CHECK(outcome.states == "a running, b ended, c running");
    }
  }

  TEST_CASE("a temporary child that died is forgotten and the others are left alone") {
    for (const Strategy strategy :
         {Strategy::one_for_one, Strategy::rest_for_one, Strategy::one_for_all})
      for (const auto& error : {std::optional<Error>(), std::optional(fault())}) {
        const Outcome outcome = after_death_of_b(strategy, Restart::temporary, error);
        CHECK(outcome.journal == "");
        CHECK(outcome.states == "a running, c running");
      }
  }

  TEST_CASE("temporary children that are stopped for another's sake are forgotten") {
    const Outcome outcome =
        after_death_of_b(Strategy::one_for_all, Restart::permanent, fault(), Restart::temporary);
    CHECK(outcome.journal == "-c -a +b");
    CHECK(outcome.states == "b running");
  }

  TEST_CASE("transient children that are stopped for another's sake are started again") {
    CHECK(after_death_of_b(Strategy::one_for_all, Restart::permanent, fault(), Restart::transient)
              .journal == "-c -a +a +b +c");
  }

  TEST_CASE("a transient child that had ended well begins anew with its group") {
    FakeChildren fakes;
    const auto supervisor = started<>({.strategy = Strategy::one_for_all, .limit = never_gives_up},
                                      {fakes.child("a", Restart::transient), fakes.child("b")});
    fakes.die("a", {});
    settle(*supervisor);
    CHECK(states(*supervisor) == "a ended, b running");
    fakes.journal();
    fakes.die("b");
    settle(*supervisor);
    CHECK(fakes.journal() == "+a +b");
  }

  TEST_CASE("a child that was terminated stays so when its group begins anew") {
    FakeChildren fakes;
    const auto supervisor = started<>({.strategy = Strategy::one_for_all, .limit = never_gives_up},
                                      {fakes.child("a"), fakes.child("b")});
    REQUIRE(supervisor->terminate_child("a"));
    fakes.journal();
    fakes.die("b");
    settle(*supervisor);
    CHECK(fakes.journal() == "+b");
    CHECK(states(*supervisor) == "a stopped, b running");
  }

  TEST_CASE("a child that ended well and was then terminated does not begin anew") {
    FakeChildren fakes;
    const auto supervisor = started<>({.strategy = Strategy::one_for_all, .limit = never_gives_up},
                                      {fakes.child("a", Restart::transient), fakes.child("b")});
    fakes.die("a", {});
    settle(*supervisor);
    REQUIRE(supervisor->terminate_child("a"));
    fakes.die("b");
    settle(*supervisor);
    CHECK(fakes.journal() == "+a +b +b");
    CHECK(states(*supervisor) == "a stopped, b running");
  }

  TEST_CASE("two deaths at once are one restart of the group") {
    FakeChildren fakes;
    Gate begun;
    Gate gate;
    const auto supervisor =
        started<>({.strategy = Strategy::one_for_all,
                   .limit = {.max_restarts = 1, .max_seconds = std::chrono::hours(1)}},
                  {fakes.child("a"),
                   fakes.child("b"),
                   {.id = "slow",
                    .start = [&](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
                      return child_stopped_by([] {});
                    },
                    .shutdown = Shutdown::at_once()}});
    std::thread busy([&] {  // both deaths are handled only after this call
      static_cast<void>(supervisor->start_child(
          {.id = "block", .start = [&](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
             begun.open();
             gate.pass();
             return std::unexpected(fault());
           }}));
    });
    begun.pass();
    fakes.die("a");
    fakes.die("b");
    gate.open();
    busy.join();
    settle(*supervisor);
    CHECK(states(*supervisor) == "a running, b running, slow running");
  }

  TEST_CASE("a restart that fails is one more death and tried again") {
    FakeChildren fakes;
    const auto supervisor = started<>({.strategy = Strategy::rest_for_one, .limit = never_gives_up},
                                      {fakes.child("a"), fakes.child("b"), fakes.child("c")});
    fakes.journal();
    fakes.fail_starts("b", 2);
    fakes.die("a");
    settle_restarts(*supervisor);
    CHECK(fakes.journal() == "-c -b +a !b !b +b +c");
    CHECK(states(*supervisor) == all_run);
    CHECK(supervisor->children()[1].deaths == 2);
    CHECK(supervisor->children()[1].starts == 2);
  }

  TEST_CASE("a restart of all that fails begins with the first again") {
    FakeChildren fakes;
    const auto supervisor = started<>({.strategy = Strategy::one_for_all, .limit = never_gives_up},
                                      {fakes.child("a"), fakes.child("b"), fakes.child("c")});
    fakes.journal();
    fakes.fail_starts("b", 1);
    fakes.die("c");
    settle_restarts(*supervisor);
    CHECK(fakes.journal() == "-b -a +a !b -a +a +b +c");
  }

  TEST_CASE("what an earlier life of a child says is not heard") {
    const FakeChildren fakes;
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
    for (int i = 0; i < 3; ++i) settle(*supervisor);  // a call has its turn between restarts
    CHECK(starts == 3);
  }
}

}  // namespace weir
