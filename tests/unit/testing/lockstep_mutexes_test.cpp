#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>

#include <doctest/doctest.h>

#include <weir/sync.hpp>
#include <weir/testing/lockstep.hpp>

#include "unit/testing/exploring.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using lockstep::StrategyKind;
using lockstep::Sync;
using testing::message_of;

// The body holds under every strategy, and depth-first search comes to its end.
void survives_all(const std::function<void()>& body) {
  for (const StrategyKind strategy :
       {StrategyKind::random, StrategyKind::pct, StrategyKind::pos, StrategyKind::depth_first}) {
    const lockstep::Report report =
        lockstep::explore({.strategy = strategy,
                           .schedules = strategy == StrategyKind::depth_first ? 200'000U : 500U},
                          body);
    CHECK_MESSAGE(!report.failure, name(strategy) << ": " << to_string(report));
    CHECK((report.exhausted || strategy != StrategyKind::depth_first));
  }
}

// What a class does with either policy.
template <class Policy>
int shared_and_counted() {
  typename Policy::SharedMutex mutex;
  typename Policy::template Semaphore<3> slots{2};
  int value = 0;
  typename Policy::Thread writer([&] {
    const std::scoped_lock lock(mutex);
    value = 1;
  });
  slots.acquire();
  CHECK(slots.try_acquire_for(1s));
  slots.release(2);
  writer.join();
  Policy::fence(std::memory_order_seq_cst);
  const std::shared_lock lock(mutex);
  return value;
}

}  // namespace

TEST_SUITE("lockstep: shared mutexes and semaphores") {
  TEST_CASE("a class uses them with the machine's policy and with lockstep's") {
    CHECK(shared_and_counted<StdSync>() == 1);
    survives_all([] { lockstep::require(shared_and_counted<Sync>() == 1, "not written"); });
  }

  TEST_CASE("readers are inside together and a writer alone") {
    int together = 0;
    survives_all([&] {
      Sync::SharedMutex mutex;
      int readers = 0;
      int writers = 0;
      const auto read = [&] {
        const std::shared_lock lock(mutex);
        lockstep::require(writers == 0, "a reader beside a writer");
        if (++readers == 2) ++together;
        lockstep::point();
        --readers;
      };
      Sync::Thread a(read);
      Sync::Thread b(read);
      {
        const std::scoped_lock lock(mutex);
        lockstep::require(readers == 0 && ++writers == 1, "a writer beside another");
        lockstep::point();
        --writers;
      }
      a.join();
      b.join();
    });
    CHECK(together > 0);
  }

  TEST_CASE("a semaphore lets in as many as it counts") {
    int most = 0;
    survives_all([&] {
      Sync::Semaphore<2> slots{2};
      int inside = 0;
      const auto enter = [&] {
        slots.acquire();
        lockstep::require(++inside <= 2, "three inside");
        most = std::max(most, inside);
        lockstep::point();
        --inside;
        slots.release();
      };
      Sync::Thread a(enter);
      Sync::Thread b(enter);
      enter();
      a.join();
      b.join();
    });
    CHECK(most == 2);
  }

  TEST_CASE("a semaphore is waited for until a deadline and no longer") {
    std::set<bool> outcomes;
    survives_all([&] {
      Sync::Semaphore<> items{0};
      Sync::Thread producer([&] {
        Sync::sleep_until(Sync::Clock::time_point(1s));
        items.release();
      });
      const bool got = items.try_acquire_for(1s);
      outcomes.insert(got);
      lockstep::require(got || Sync::Clock::now() >= Sync::Clock::time_point(1s), "gave up early");
      if (!got) items.acquire();
      producer.join();
      lockstep::require(!items.try_acquire(), "an item too many");
    });
    CHECK(outcomes.size() == 2);
  }

  TEST_CASE("misuse is told of") {
    CHECK(message_of([] {
            Sync::SharedMutex mutex;
            mutex.lock_shared();
            mutex.lock();
          }) == "lock of mutex #1, which it holds already");
    CHECK(message_of([] {
            Sync::SharedMutex mutex;
            mutex.lock_shared();
            mutex.unlock();
          }) == "unlocks mutex #1 without holding it");
    CHECK(message_of([] {
            Sync::Semaphore<1> one{1};
            one.release();
          }) == "the count of semaphore #1 is not between 0 and 1");
    CHECK(message_of([] {
            Sync::Semaphore<> never{0};
            never.acquire();
          }) == "deadlock: no task can continue\n  task 0 waits for semaphore #1");
    CHECK(message_of([] {
            Sync::Mutex mutex;
            std::optional<Sync::Condition> condition(std::in_place);
            bool waits = false;
            Sync::Thread a([&] {
              std::unique_lock lock(mutex);
              waits = true;
              condition->wait(lock);
            });
            for (bool seen = false; !seen; Sync::yield()) {
              const std::scoped_lock lock(mutex);
              seen = waits;
            }
            condition.reset();
            a.join();
          }) == "condition #2 is destroyed while a task waits on it");
  }
}

}  // namespace weir
