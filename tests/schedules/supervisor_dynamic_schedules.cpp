#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/supervisor_dynamic_scenarios.hpp"

namespace weir {

// The suite of supervisor_schedules.cpp: script/lockstep finds both by its name.
TEST_SUITE("schedules: supervisor") {
  TEST_CASE("names are free for the restart while a caller holds the last life") {
    schedules::survive(supervised::names_are_free_for_the_restart);
  }

  TEST_CASE("owners that a start makes end with that life whoever holds and frees the child") {
    schedules::survive(supervised::owners_end_with_the_life_that_made_them);
  }

  TEST_CASE("a name is held until its child has ended though it was asked to stop") {
    schedules::survive(supervised::a_name_is_held_until_its_child_has_ended);
  }

  TEST_CASE("children that stop at once are all awaited") {
    schedules::survive(supervised::all_that_stop_at_once_are_awaited);
  }

  TEST_CASE("a child that waits for its restart keeps its place among max_children") {
    schedules::survive(supervised::a_child_that_waits_for_its_restart_keeps_its_place);
  }

  TEST_CASE("a significant child that is restarted keeps its supervisor") {
    schedules::survive(supervised::a_significant_child_that_is_restarted_keeps_its_supervisor);
  }

  TEST_CASE("the end of a significant child against a restart of its group is one of the two") {
    schedules::survive([] {
      supervised::FakeChildren fakes;
      ChildSpec significant = fakes.child("b", Restart::transient);
      significant.significant = true;
      const auto supervisor = supervised::started(
          {.strategy = Strategy::one_for_all, .auto_shutdown = AutoShutdown::any_significant},
          {fakes.child("a"), significant});
      lockstep::Sync::Thread death([end = fakes.first_end("a")] { end.with(supervised::fault()); });
      fakes.first_end("b").normally();
      death.join();
      const Result<void> settled = supervisor->terminate_child("nobody");
      if (settled.error().kind == "unknown_child") {
        lockstep::require(fakes.running == 2, "the group was not restarted");
      } else {
        lockstep::require(supervisor->wait().has_value(), "a significant end is no giving up");
        lockstep::require(fakes.running == 0, "a child outlives its supervisor");
      }
    });
  }

  TEST_CASE("terminating a child by its pointer against its end forgets it once") {
    schedules::survive([] {
      supervised::FakeChildren fakes;
      const auto pool = supervised::started_dynamic({});
      const auto child = pool->start_child(fakes.child("a", Restart::transient));
      lockstep::Sync::Thread end([own_end = fakes.first_end("a")] { own_end.normally(); });
      const Result<void> terminated = pool->terminate_child(*child);
      lockstep::require(terminated || terminated.error().kind == "unknown_child",
                        "it was refused otherwise");
      end.join();
      supervised::settle(*pool);
      lockstep::require(pool->children().empty() && fakes.running == 0, "it was not forgotten");
      lockstep::require(fakes.stops.size() <= 1, "it was asked to stop twice");
    });
  }

  TEST_CASE("a call waits for one restart that fails and not for the next") {
    schedules::survive(supervised::a_call_does_not_wait_for_restarts_that_fail);
  }

  TEST_CASE("a task that was awaited leaves its place") {
    schedules::survive(supervised::a_task_that_was_awaited_leaves_its_place);
  }

  TEST_CASE("the end of a linked task's handle awaits its body") {
    schedules::survive([] {
      bool ended = false;
      const auto pool = supervised::started_dynamic({});
      {
        const auto task = async(*pool, [&](const BasicStopSignal<lockstep::Sync>& stop) {
          stop.wait();
          ended = true;
        });
        lockstep::require(task.has_value(), "it did not start");
      }
      lockstep::require(ended, "its body runs after its handle");
    });
  }
}

}  // namespace weir
