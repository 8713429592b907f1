#include <atomic>

#include <doctest/doctest.h>

#include <weir/supervisor/task.hpp>

#include "workers.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_SUITE("supervisor: tasks") {
  TEST_CASE("what a task returns is awaited") {
    const auto pool = started_dynamic<>({});
    auto number = async(*pool, [](const StopSignal&) { return 42; });
    auto text = async(*pool, [](const StopSignal&) -> Result<std::string> { return "done"; });
    auto nothing = async(*pool, [](const StopSignal&) {});
    REQUIRE(number);
    CHECK(number->await() == 42);
    CHECK(text->await() == "done");
    CHECK(nothing->await());
  }

  TEST_CASE("an error and an exception of a task are its outcome") {
    const auto pool = started_dynamic<>({});
    auto failed =
        async(*pool, [](const StopSignal&) -> Result<int> { return std::unexpected(fault()); });
    auto thrown = async(*pool, [](const StopSignal&) { throw std::runtime_error("oops"); });
    CHECK(failed->await().error() == fault());
    CHECK(thrown->await().error().message == "oops");
  }

  TEST_CASE("a body need not be copyable and is gone when its task was awaited") {
    const auto pool = started_dynamic<>({});
    auto held = std::make_unique<std::shared_ptr<int>>(std::make_shared<int>(5));
    const std::weak_ptr<int> seen = *held;
    auto task = async(*pool, [mine = std::move(held)](const StopSignal&) { return **mine; });
    CHECK(task->await() == 5);
    CHECK(seen.expired());
  }

  TEST_CASE("one that awaited a task finds its place free") {
    const auto pool = started_dynamic<>({.max_children = 1});
    for (int i = 0; i < 100; ++i) {
      auto task = async(*pool, [](const StopSignal&) { return 1; });
      REQUIRE(task);
      CHECK(task->await() == 1);
    }
  }

  TEST_CASE("a task that does not start because there are too many is refused") {
    const auto pool = started_dynamic<>({.max_children = 1});
    const auto first = async(*pool, [](const StopSignal& stop) { stop.wait(); });
    REQUIRE(first);
    CHECK(async(*pool, [](const StopSignal&) {}).error().kind == "max_children");
  }

  TEST_CASE("a task that takes longer may be awaited again") {
    const auto pool = started_dynamic<>({});
    Gate gate;
    auto task = async(*pool, [&](const StopSignal&) {
      gate.pass();
      return 1;
    });
    CHECK_FALSE(task->await_for(1ms));
    gate.open();
    const auto outcome = task->await_for(1h);
    REQUIRE(outcome);
    CHECK(*outcome == 1);
  }

  TEST_CASE("a linked task is stopped by the end of its handle which waits for it") {
    const auto pool = started_dynamic<>({});
    std::atomic<bool> ended = false;
    {
      const auto task = async(*pool, [&](const StopSignal& stop) {
        stop.wait();
        ended = true;
      });
      REQUIRE(task);
    }
    CHECK(ended);
  }

  TEST_CASE("a task without a link continues without its handle") {
    Gate gate;
    Gate ended;
    const auto pool = started_dynamic<>({});
    CHECK(async_nolink(*pool, [&](const StopSignal& stop) {
      gate.pass();
      CHECK_FALSE(stop.stop_requested());
      ended.open();
    }));
    CHECK(pool->count_children().active == 1);
    gate.open();
    ended.pass();
  }

  TEST_CASE("a handle that is given another task ends the one it had") {
    const auto pool = started_dynamic<>({});
    auto task = async(*pool, [](const StopSignal& stop) {
      stop.wait();
      return 1;
    });
    task = async(*pool, [](const StopSignal&) { return 2; });
    CHECK(task->await() == 2);
  }

  TEST_CASE("the end of a pool stops its tasks and what was left behind is no wait for ever") {
    Gate gate;
    std::atomic<int> stopped = 0;
    const auto ended = std::make_shared<Gate>();
    auto pool = started_dynamic<>({});
    auto obeys = async_nolink(*pool, [&](const StopSignal& stop) {
      stop.wait();
      ++stopped;
    });
    auto ignores = async_nolink(
        *pool,
        [&gate, ended](const StopSignal&) {
          gate.pass();
          ended->open();
          return 1;
        },
        Shutdown::after(1ms));
    pool.reset();
    CHECK(stopped == 1);
    CHECK(obeys->await());
    CHECK(ignores->await().error().kind == "over_time");
    gate.open();
    ended->pass();
  }
}

}  // namespace weir
