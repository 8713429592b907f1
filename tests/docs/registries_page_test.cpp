// What docs/registries.md shows, taken from the page as it stands, does what the page says.
#include "registries_page.hpp"

#include <doctest/doctest.h>

TEST_SUITE("docs: registries") {
  TEST_CASE("what was registered goes with its owner") {
    CHECK(said_in_the_hall() == std::vector<std::string>{"hello", "good day", "hello"});
  }

  TEST_CASE("a taken name says by whom and an empty one that nobody stands there") {
    const auto [taken, empty] = two_want_one_name();
    INFO(taken << " / " << empty);
    CHECK(taken.find("ada") != std::string::npos);
    CHECK(empty.find("stage") != std::string::npos);
  }

  TEST_CASE("a dispatch that sees all entries finds the least busy worker") {
    CHECK(the_least_busy_of_three() == "b");
  }

  TEST_CASE("a room is lit once and those who listen hear of each") {
    const auto [lit, opened] = started_once_and_listened_to();
    CHECK(lit == 2);
    CHECK(opened == std::vector<std::string>{"hall", "attic"});
  }

  TEST_CASE("a connection is made once until it is stopped") { CHECK(connections_made() == 2); }

  TEST_CASE("a supervisor that gives up tells the last error") {
    const std::string error = the_error_it_gave_up_with();
    INFO(error);
    CHECK(error.find("no such table") != std::string::npos);
    CHECK(error.find("broken") != std::string::npos);
  }

  TEST_CASE("a child is registered under its key while it runs") {
    CHECK(found_while_it_runs_and_after() == std::pair<std::size_t, std::size_t>(1, 0));
  }

  TEST_CASE("an inner supervisor is reached through the one above") {
    CHECK(alice_has_one_token());
  }

  TEST_CASE("a dynamic supervisor has as many children as it may") {
    CHECK(how_many_are_there() == std::vector<std::size_t>{2, 0, 1});
  }

  TEST_CASE("tasks are awaited and fail with values") { CHECK(sum_of_two_tasks() == 6); }

  TEST_CASE("what stands beside Elixir does the same") {
    CHECK(heard_by_a_subscriber() == "rain");
    CHECK(counted_for_ada() == 3);
    CHECK(counted_by_a_task({"one", "two"}) == 2);
  }
}
