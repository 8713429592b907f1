#include <algorithm>
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <weir/testing/lockstep.hpp>

namespace weir {
namespace {

using lockstep::StrategyKind;
using lockstep::Sync;

// The body holds under every strategy.
void survives(const std::function<void()>& body) {
  for (const StrategyKind strategy :
       {StrategyKind::random, StrategyKind::pct, StrategyKind::pos, StrategyKind::depth_first}) {
    const lockstep::Report report =
        lockstep::explore({.strategy = strategy, .schedules = 300}, body);
    CHECK_MESSAGE(!report.failure, name(strategy) << ": " << to_string(report));
  }
}

}  // namespace

TEST_SUITE("lockstep: tasks") {
  TEST_CASE("a mutex lets one task in at a time") {
    survives([] {
      Sync::Mutex mutex;
      int inside = 0;
      const auto enter = [&] {
        const std::scoped_lock lock(mutex);
        lockstep::require(++inside == 1, "two tasks inside");
        lockstep::point();
        --inside;
      };
      Sync::Thread a(enter);
      Sync::Thread b(enter);
      Sync::Thread c(enter);
      a.join();
      b.join();
      c.join();
    });
  }

  TEST_CASE("a notification of one wakes each of the waiting in some schedule and never two") {
    std::set<int> woken;
    const lockstep::Report report = lockstep::explore({.strategy = StrategyKind::depth_first}, [&] {
      Sync::Mutex mutex;
      Sync::Condition changed;
      int waiting = 0;
      int tickets = 0;
      std::vector<int> got;
      const auto wait = [&](int who) {
        std::unique_lock lock(mutex);
        ++waiting;
        changed.wait(lock, [&] { return tickets > 0; });
        --tickets;
        got.push_back(who);
      };
      Sync::Thread a(wait, 1);
      Sync::Thread b(wait, 2);
      for (int n = 0; n < 2; ++n) {
        const std::scoped_lock lock(mutex);
        ++tickets;
        changed.notify_one();
      }
      a.join();
      b.join();
      lockstep::require(got.size() == 2 && tickets == 0, "a ticket was used twice");
      woken.insert(got.front());
    });
    CHECK_MESSAGE(!report.failure, to_string(report));
    CHECK(woken == std::set<int>{1, 2});
  }

  TEST_CASE("a task that yields lets the one it waits for go on under every strategy") {
    survives([] {
      Sync::Atomic<bool> ready = false;
      Sync::Thread waiter([&] {
        while (!ready.load()) Sync::yield();
      });
      Sync::Thread other([&] { ready.store(true); });
      waiter.join();
      other.join();
    });
  }

  TEST_CASE("living tasks have different indexes and a new one takes the place of one that ended") {
    survives([] {
      std::size_t first = 0;
      std::size_t second = 0;
      Sync::Thread a([&] { first = Sync::thread_index(); });
      Sync::Thread b([&] { second = Sync::thread_index(); });
      a.join();
      b.join();
      lockstep::require(first != second && first != Sync::thread_index(), "two tasks, one index");
      Sync::Thread c([&] { first = Sync::thread_index(); });
      c.join();
      lockstep::require(first < 3, "the index of a task that ended was not given again");
    });
  }

  TEST_CASE("each task has its own exceptions in flight") {
    survives([] {
      const auto work = [](const char* what) {
        for (int i = 0; i < 2; ++i) {
          try {
            lockstep::point();
            throw std::runtime_error(what);
          } catch (const std::exception& thrown) {
            lockstep::point();  // others throw and catch meanwhile
            lockstep::require(std::string(thrown.what()) == what, "another task's exception");
            lockstep::require(std::uncaught_exceptions() == 0, "another task's count");
            try {
              throw;
            } catch (const std::runtime_error& again) {
              lockstep::require(std::string(again.what()) == what, "another task's exception");
            }
          }
        }
      };
      Sync::Thread a(work, "a");
      Sync::Thread b(work, "b");
      a.join();
      b.join();
    });
  }

  TEST_CASE("a destructor may switch while its task's exception unwinds the stack") {
    survives([] {
      struct Holder {
        Sync::Mutex& mutex;
        ~Holder() {
          lockstep::point();
          const std::scoped_lock lock(mutex);
        }
      };
      Sync::Mutex mutex;
      const auto work = [&] {
        try {
          const Holder holder{mutex};
          throw std::runtime_error("unwinding");
        } catch (const std::runtime_error&) {
        }
      };
      Sync::Thread a(work);
      Sync::Thread b(work);
      a.join();
      b.join();
    });
  }

  TEST_CASE("what a task draws is the same when its schedule is repeated") {
    std::vector<std::uint64_t> drawn;
    const auto body = [&] {
      drawn.push_back(Sync::random());
      lockstep::require(false, "enough");
    };
    const lockstep::LeaksIgnored ignored;
    const lockstep::Report report = lockstep::explore({.seed = 5, .shrink = false}, body);
    const std::uint64_t first = drawn.front();
    drawn.clear();
    lockstep::repeat({.shrink = false}, report.failure->token, body);
    CHECK(drawn.front() == first);
  }

  TEST_CASE("the primitives work for one thread outside a schedule") {
    Sync::Mutex mutex;
    const std::scoped_lock lock(mutex);
    Sync::Atomic<int> count = 1;
    CHECK(count.fetch_add(2) == 1);
    CHECK(count.exchange(9) == 3);
    int expected = 8;
    CHECK(!count.compare_exchange_strong(expected, 1));
    CHECK(expected == 9);
    CHECK(count.compare_exchange_strong(expected, 1));
    CHECK(--count == 0);
    CHECK(count.fetch_or(6) == 0);
    CHECK(count.fetch_and(3) == 6);
    CHECK(count.fetch_xor(1) == 2);
    CHECK(count == 3);
    CHECK(Sync::Clock::now().time_since_epoch().count() == 0);
  }
}

}  // namespace weir
