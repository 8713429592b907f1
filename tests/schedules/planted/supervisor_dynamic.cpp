// Against copies of headers of the supervisor that make the one mistake that a test chooses.
namespace weir::supervisor {

enum class Mistake {
  none,
  names_freed_late,
  names_freed_early,
  owners_kept,
  one_awaited,
  restarting_not_counted,
  restarting_not_significant,
  end_told_late,
  calls_last,
};
inline Mistake mistake = Mistake::none;

}  // namespace weir::supervisor

#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/supervisor_dynamic_scenarios.hpp"

namespace weir {
namespace {

using supervisor::Mistake;

void find(Mistake planted, const std::function<void()>& scenario, std::string_view expected) {
  supervisor::mistake = planted;
  schedules::find(scenario, expected);
  supervisor::mistake = Mistake::none;
}

}  // namespace

TEST_SUITE("schedules: planted") {
  TEST_CASE("planted: names freed after the restart") {
    find(Mistake::names_freed_late, supervised::names_are_free_for_the_restart,
         "its last life kept its names");
  }

  TEST_CASE("planted: names freed before the end") {
    find(Mistake::names_freed_early, supervised::a_name_is_held_until_its_child_has_ended,
         "two living children have one name");
  }

  TEST_CASE("planted: owners that end with the object of a child and not with its life") {
    find(Mistake::owners_kept, supervised::owners_end_with_the_life_that_made_them,
         "its last life kept its key");
  }

  TEST_CASE("planted: a stop of all that awaits one") {
    find(Mistake::one_awaited, supervised::all_that_stop_at_once_are_awaited,
         "it was collected before its end");
  }

  TEST_CASE("planted: max_children without those that wait for their restart") {
    find(Mistake::restarting_not_counted,
         supervised::a_child_that_waits_for_its_restart_keeps_its_place,
         "there are more children than may be");
  }

  TEST_CASE("planted: auto_shutdown without those that wait for their restart") {
    find(Mistake::restarting_not_significant,
         supervised::a_significant_child_that_is_restarted_keeps_its_supervisor,
         "it was shut down in place of a restart");
  }

  TEST_CASE("planted: calls after all restarts that are due") {
    find(Mistake::calls_last, supervised::a_call_does_not_wait_for_restarts_that_fail,
         "it waited for more than one restart");
  }

  TEST_CASE("planted: an outcome that is told before the supervisor knows of the end") {
    find(Mistake::end_told_late, supervised::a_task_that_was_awaited_leaves_its_place,
         "its place is not free");
  }
}

}  // namespace weir
