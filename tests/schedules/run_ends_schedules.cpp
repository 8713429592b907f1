#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "client/run_ends.hpp"
#include "schedules/schedules.hpp"

namespace weir {
namespace {

using lockstep::Sync;

}  // namespace

TEST_SUITE("schedules: run ends") {
  TEST_CASE("a wait that begins at any moment hears of the end that comes at any moment") {
    schedules::survive([] {
      bool over = false;
      RunEnds<Sync> ends([&](const std::vector<std::string>& runs) {
        return Result<std::vector<std::string>>(over ? runs : std::vector<std::string>());
      });
      Sync::Thread other([&] {
        auto wait = ends.wait_for("a");
        lockstep::require(wait.until_over().has_value(), "not told");
      });
      lockstep::point();
      over = true;
      auto wait = ends.wait_for("a");
      lockstep::require(wait.until_over().has_value(), "not told");
      other.join();
    });
  }

  TEST_CASE("a wait may end while it is told") {
    schedules::survive([] {
      RunEnds<Sync> ends([&](const std::vector<std::string>& runs) {
        return Result<std::vector<std::string>>(runs);
      });
      {
        auto wait = ends.wait_for("a");
        lockstep::require(wait.until(Sync::Clock::now()).has_value(), "a wait failed");
      }
      lockstep::require(ends.waiting() == 0, "a wait that has ended stands there still");
    });
  }
}

}  // namespace weir
