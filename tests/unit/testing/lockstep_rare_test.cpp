#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/lockstep.hpp>

#include "unit/testing/exploring.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using lockstep::Options;
using lockstep::Report;
using lockstep::StrategyKind;
using lockstep::Sync;
using testing::explored;

// Every strategy finds it, and none without what is spurious.
void finds(const std::function<void()>& body, std::string_view message, std::string_view line) {
  for (const StrategyKind strategy :
       {StrategyKind::random, StrategyKind::pct, StrategyKind::pos, StrategyKind::depth_first}) {
    const Report report = explored({.strategy = strategy, .schedules = 2'000}, body);
    INFO(name(strategy) << ": " << to_string(report));
    REQUIRE(report.failure);
    CHECK(report.failure->message == message);
    CHECK(report.failure->repeatable);
    CHECK(to_string(report).find(line) != std::string::npos);
    const lockstep::LeaksIgnored ignored;
    CHECK(lockstep::repeat({}, report.failure->token, body).failure);
    const Report without =
        lockstep::explore({.strategy = strategy, .schedules = 2'000, .spurious = 0}, body);
    CHECK_MESSAGE(!without.failure, to_string(without));
  }
}

}  // namespace

TEST_SUITE("lockstep: what is rare") {
  TEST_CASE("a wait without a loop is found to end before anybody notified it") {
    finds(
        [] {
          Sync::Mutex mutex;
          Sync::Condition changed;
          bool ready = false;
          Sync::Thread other([&] {
            const std::scoped_lock lock(mutex);
            ready = true;
            changed.notify_one();
          });
          {
            std::unique_lock lock(mutex);
            if (!ready) changed.wait(lock);
            lockstep::require(ready, "woke too early");
          }
          other.join();
        },
        "woke too early", "wakes without a notification of condition #2");
  }

  TEST_CASE("a wait with a deadline may end before it without a notification") {
    finds(
        [] {
          Sync::Mutex mutex;
          Sync::Condition never;
          std::unique_lock lock(mutex);
          lockstep::require(never.wait_for(lock, 5s) == std::cv_status::timeout, "woke too early");
        },
        "woke too early", "wakes without a notification");
  }

  TEST_CASE("a weak compare_exchange fails though the value is the expected one") {
    finds(
        [] {
          Sync::Atomic<int> value = 0;
          int expected = 0;
          lockstep::require(value.compare_exchange_weak(expected, 1), "not exchanged");
        },
        "not exchanged", "fails without a reason");
    CHECK(!explored({}, [] {
             Sync::Atomic<int> value = 0;
             int expected = 0;
             lockstep::require(value.compare_exchange_strong(expected, 1), "not exchanged");
             while (!value.compare_exchange_weak(expected, 2)) {
             }
             lockstep::require(value == 2 && expected == 1, "not exchanged in a loop");
           }).failure);
  }

  TEST_CASE("trying what is free may fail") {
    const auto attempt = [](auto attempted) {
      return [attempted] { lockstep::require(attempted(), "not taken"); };
    };
    finds(attempt([] {
            return std::unique_lock(*std::make_unique<Sync::Mutex>(), std::try_to_lock).owns_lock();
          }),
          "not taken", "fails without a reason");
  }

  TEST_CASE("a yield that is taken for progress is found") {
    finds(
        [] {
          Sync::Atomic<bool> done = false;
          bool begun = false;
          Sync::Thread other([&] {
            begun = true;
            done.store(true);
          });
          while (!begun) Sync::yield();
          Sync::yield();  // the other one has nothing left to do but its store
          const bool seen = done.load();
          other.join();
          lockstep::require(seen, "the other one has not run");
        },
        "the other one has not run", "yield that returns at once");
  }

  TEST_CASE("a loop that waits with yields or weak exchanges ends under every strategy") {
    for (const StrategyKind strategy :
         {StrategyKind::random, StrategyKind::pct, StrategyKind::pos, StrategyKind::depth_first})
      for (const bool weak_memory : {false, true}) {
        const Report report = explored(
            {.strategy = strategy,
             .schedules = 2'000,
             .steps_max = 2'000,
             .weak_memory = weak_memory},
            [] {
              Sync::Atomic<int> turn = 0;
              Sync::Thread other([&] {
                while (turn.load(std::memory_order_acquire) != 1) Sync::yield();
                turn.store(2, std::memory_order_release);
              });
              for (int expected = 0; !turn.compare_exchange_weak(expected, 1); expected = 0) {
              }
              while (turn.load(std::memory_order_acquire) != 2) Sync::yield();
              other.join();
            });
        CHECK_MESSAGE(!report.failure, name(strategy) << ": " << to_string(report));
      }
  }

  TEST_CASE("a wake-up without a notification hides no lost one") {
    const Report report = explored({.strategy = StrategyKind::depth_first}, [] {
      Sync::Mutex mutex;
      Sync::Condition changed;
      std::unique_lock lock(mutex);
      changed.wait(lock, [] { return false; });
    });
    REQUIRE(report.failure);
    CHECK(report.failure->message ==
          "deadlock: no task can continue\n  task 0 waits on condition #2");
  }

  TEST_CASE("a notification is for a task that still waits and not for one whose time is over") {
    const Report report = explored({.schedules = 5'000}, [] {
      Sync::Mutex mutex;
      Sync::Condition changed;
      int tickets = 0;
      bool gave_up = false;
      Sync::Thread hasty([&] {
        std::unique_lock lock(mutex);
        if (changed.wait_for(lock, 1s) == std::cv_status::timeout) gave_up = true;
      });
      Sync::Thread patient([&] {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return tickets > 0; });
      });
      Sync::sleep_until(Sync::Clock::time_point(2s));
      {
        const std::scoped_lock lock(mutex);
        ++tickets;
      }
      changed.notify_one();
      hasty.join();
      if (!gave_up) changed.notify_one();  // the first one may have been the hasty one's
      patient.join();
    });
    CHECK_MESSAGE(!report.failure, to_string(report));
  }
}

}  // namespace weir
