#include <chrono>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/lockstep.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using lockstep::StrategyKind;
using lockstep::Sync;

std::chrono::nanoseconds elapsed() { return Sync::Clock::now().time_since_epoch(); }

lockstep::Report explored_in_depth(const std::function<void()>& body) {
  return lockstep::explore({.strategy = StrategyKind::depth_first}, body);
}

}  // namespace

TEST_SUITE("lockstep: time") {
  TEST_CASE("a sleep of a year takes a year of virtual time and none of ours") {
    const lockstep::Report report = explored_in_depth([] {
      Sync::sleep_until(Sync::Clock::time_point(8'760h));
      lockstep::require(elapsed() == 8'760h, "not a year");
    });
    CHECK_MESSAGE(!report.failure, to_string(report));
  }

  TEST_CASE("sleepers wake in the order of their times") {
    const lockstep::Report report = explored_in_depth([] {
      std::string order;
      const auto sleep = [&](char who, std::chrono::nanoseconds until) {
        Sync::sleep_until(Sync::Clock::time_point(until));
        order += who;
      };
      Sync::Thread late(sleep, 'b', 2s);
      Sync::Thread early(sleep, 'a', 1s);
      late.join();
      early.join();
      lockstep::require(elapsed() == 2s, "time went on");
      lockstep::require(order == "ab" || order == "ba", "somebody did not wake");
    });
    CHECK(report.exhausted);
    CHECK_MESSAGE(!report.failure, to_string(report));
  }

  TEST_CASE(
      "a wait with a deadline ends by its notification in some schedules and by time in others") {
    int notified = 0;
    int timed_out = 0;
    const lockstep::Report report = explored_in_depth([&] {
      Sync::Mutex mutex;
      Sync::Condition changed;
      bool done = false;
      Sync::Thread worker([&] {
        const std::scoped_lock lock(mutex);
        done = true;
        changed.notify_all();
      });
      {
        std::unique_lock lock(mutex);
        const bool in_time = changed.wait_for(lock, 5s, [&] { return done; });
        ++(in_time ? notified : timed_out);
        lockstep::require(in_time || elapsed() >= 5s, "gave up before its deadline");
      }
      worker.join();
    });
    CHECK_MESSAGE(!report.failure, to_string(report));
    CHECK(notified > 0);
    CHECK(timed_out > 0);
  }

  TEST_CASE("a deadline that has passed does not wait") {
    const lockstep::Report report = explored_in_depth([] {
      Sync::Mutex mutex;
      Sync::Condition never;
      std::unique_lock lock(mutex);
      lockstep::require(
          never.wait_until(lock, Sync::Clock::time_point(0s)) == std::cv_status::timeout,
          "waited for the past");
      lockstep::require(elapsed() == 0s, "time went on");
    });
    CHECK_MESSAGE(!report.failure, to_string(report));
  }
}

}  // namespace weir
