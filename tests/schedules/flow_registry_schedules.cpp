#include <doctest/doctest.h>

#include "schedules/flow_registry_scenarios.hpp"
#include "schedules/schedules.hpp"

namespace weir {

TEST_SUITE("schedules: flow registry") {
  TEST_CASE("G3: a section sees a swap of two slugs whole or not at all") {
    schedules::survive(schedules::a_section_against_a_two_key_swap);
  }
  TEST_CASE("G3: slugs that are swapped are always there and never go back") {
    schedules::survive(schedules::gets_against_a_two_key_swap);
  }
  TEST_CASE("G6: what a read section found stays with its library until the section ends") {
    schedules::survive(schedules::a_section_against_an_unregistration);
  }
  TEST_CASE("G6: a library is closed once and after the last handle whoever drops it") {
    schedules::survive(schedules::pins_against_retirement);
  }
  TEST_CASE("G6: one who waits for a library to be closed is woken once it is") {
    schedules::survive(schedules::a_ticket_against_the_last_release);
  }
  TEST_CASE("G6: handles outlive their registry") {
    schedules::survive(schedules::a_handle_outlives_the_registry);
  }
  TEST_CASE("G6: counts that are used again are nobody else's") {
    schedules::survive(schedules::the_counts_of_a_flow_are_used_again);
  }
  TEST_CASE("V2: a version is found by its fingerprint until it is retired") {
    schedules::survive(schedules::a_version_against_its_succession_and_retirement);
  }
  TEST_CASE("G2: the registry is linearizable") {
    schedules::survive(schedules::calls_of_three_threads);
  }
}

}  // namespace weir
