#include <atomic>
#include <chrono>

#include <doctest/doctest.h>

#include "schedules/schedules.hpp"
#include "schedules/shared_handles_scenarios.hpp"

namespace weir::shared {

using namespace std::chrono_literals;

TEST_SUITE("schedules: shared handles") {
  TEST_CASE("shared: any number of callers of one key share one start") {
    schedules::survive(callers_share_one_start);
  }

  TEST_CASE("shared: a start that fails is shared by those who joined it and then gone") {
    schedules::survive([] {
      Handles handles;
      int starts = 0;
      int refused = 0;
      const auto ask = [&] {
        const auto got = handles.get_or_start(1, [&](const auto&) -> Result<Pointer> {
          ++starts;
          lockstep::point();
          return std::unexpected(broken);
        });
        require(!got && got.error() == broken, "a failed start gave something else");
        ++refused;
      };
      Sync::Thread a(ask);
      Sync::Thread b(ask);
      a.join();
      b.join();
      require(refused == 2 && starts >= 1 && starts <= 2, "starts do not match their failures");
      require(handles.count() == 0 && !handles.lookup(1), "a failed start left something");
      Tally tally;
      require(handles.get_or_start(1, making(tally)).has_value(), "no start after a failed one");
      handles.stop(1);
    });
  }

  TEST_CASE("shared: a stop ends the start that it met and none that comes later") {
    schedules::survive(a_stop_ends_the_start_it_met);
  }

  TEST_CASE("shared: a handle that was stopped has ended before its key is started again") {
    schedules::survive(a_stopped_handle_ends_before_the_next_start);
  }

  TEST_CASE("shared: a wait for the end of a stopped handle ends with a shutdown") {
    schedules::survive([] {
      Tally tally;
      {
        Handles handles;
        Pointer used = *handles.get_or_start(1, making(tally));
        handles.stop(1);
        Sync::Thread waits([&] {
          const auto got = handles.get_or_start(1, making(tally));
          require(got.has_value() || has_kind(got, "not_started"), "the start failed");
        });
        Sync::Thread uses([&] { used.reset(); });
        handles.shutdown();
        waits.join();
        uses.join();
      }
      require(tally.living == 0 && tally.ends == tally.starts, "a handle had no end, or two");
    });
  }

  TEST_CASE(
      "shared: of two who start and stop one key at once neither is left with a lost wake-up") {
    schedules::survive([] {
      Tally tally;
      {
        Handles handles;
        const auto ask = [&] {
          const auto got = handles.get_or_start(1, making(tally));
          require(got.has_value() || has_kind(got, "stopped"), "the start failed");
        };
        Sync::Thread a(ask);
        Sync::Thread b(ask);
        handles.stop(1);
        a.join();
        b.join();
      }
      require(tally.living == 0 && tally.ends == tally.starts, "a handle had no end, or two");
    });
  }

  TEST_CASE("shared: a handle that died is given to nobody who asks after its death") {
    schedules::survive([] {
      Tally tally;
      std::optional<Handles::Death> death;
      Handles handles;
      const Pointer dead = *handles.get_or_start(1, making(tally, &death));
      Sync::Atomic<bool> died = false;
      Sync::Thread dies([&] {
        death->announce();
        died.store(true, std::memory_order_release);
      });
      Sync::Thread asks([&] {
        const bool after = died.load(std::memory_order_acquire);
        const auto got = handles.get_or_start(1, making(tally));
        require(got.has_value(), "the start failed");
        require(!after || *got != dead, "a dead handle was handed out");
      });
      const bool after = died.load(std::memory_order_acquire);
      const Pointer found = handles.lookup(1);
      require(!after || found != dead, "a lookup found a dead handle");
      dies.join();
      asks.join();
      require(handles.lookup(1) != dead, "a dead handle stands in the registry");
      require(tally.starts <= 2, "a handle that is there was started again");
    });
  }

  TEST_CASE("shared: after a shutdown nothing is started and what was started has ended") {
    schedules::survive([] {
      Tally tally;
      {
        Handles handles;
        Result<Pointer> first, second;
        Sync::Thread a([&] { first = handles.get_or_start(1, making(tally)); });
        Sync::Thread b([&] { second = handles.get_or_start(1, making(tally)); });
        handles.shutdown();
        const int starts = tally.starts;
        a.join();
        b.join();
        require(first.has_value() || has_kind(first, "not_started"), "the start failed");
        require(second.has_value() || has_kind(second, "not_started"), "the start failed");
        require(tally.starts == starts, "something was started after the shutdown");
        require(!handles.lookup(1) && handles.count() == 0, "a handle outlived the shutdown");
        first = second = {};
        require(tally.living == 0, "a handle outlived its last user");
      }
      require(tally.ends == tally.starts, "a handle had no end, or two");
    });
  }

  TEST_CASE("shared: a deadline ends the wait and not the start") {
    schedules::survive([] {
      Tally tally;
      Handles handles;
      Sync::Thread starts([&] {
        const auto got = handles.get_or_start(1, [&](const auto& starting) -> Result<Pointer> {
          Sync::Mutex mutex;
          Sync::Condition never;
          std::unique_lock lock(mutex);
          never.wait_until(lock, Sync::Clock::now() + 10s, [] { return false; });
          return making(tally)(starting);
        });
        require(got.has_value(), "the start failed");
      });
      const auto now = Sync::Clock::now();
      const auto got =
          handles.get_or_start(1, std::monostate(), making(tally), {.deadline = now + 5s});
      require(got.has_value() || (has_kind(got, "start_timeout") && Sync::Clock::now() >= now + 5s),
              "the wait ended before its deadline");
      starts.join();
      require(tally.starts == 1 && handles.lookup(1), "the start did not go on");
    });
  }

  TEST_CASE("shared: a cancelled wait ends though its start does not") {
    schedules::survive(a_cancelled_wait_ends);
  }

  TEST_CASE("shared: a circle of waits is refused to the one who would close it") {
    schedules::survive(a_cycle_is_refused);
  }
}

}  // namespace weir::shared
