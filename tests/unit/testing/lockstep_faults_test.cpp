#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/lockstep.hpp>

#include "unit/testing/exploring.hpp"

namespace weir {
namespace {

using lockstep::Sync;
using testing::message_of;

}  // namespace

TEST_SUITE("lockstep: faults") {
  TEST_CASE("a deadlock names who waits for what") {
    CHECK(message_of([] {
            Sync::Mutex left;
            Sync::Mutex right;
            Sync::Thread a([&] {
              const std::scoped_lock first(left);
              const std::scoped_lock second(right);
            });
            Sync::Thread b([&] {
              const std::scoped_lock first(right);
              const std::scoped_lock second(left);
            });
            a.join();
            b.join();
          }) ==
          "deadlock: no task can continue\n"
          "  task 0 joins task 1\n"
          "  task 1 waits for mutex #2\n"
          "  task 2 waits for mutex #1");
  }

  TEST_CASE("a notification that came before the wait is told of as a lost wake-up") {
    CHECK(message_of([] {
            Sync::Mutex mutex;
            Sync::Condition changed;
            Sync::Atomic<bool> done = false;
            Sync::Thread waiter([&] {
              if (done.load()) return;
              std::unique_lock lock(mutex);
              changed.wait(lock);
            });
            done.store(true);
            changed.notify_all();
            waiter.join();
          }) ==
          "deadlock: no task can continue\n"
          "  task 0 joins task 1\n"
          "  task 1 waits on condition #2\n"
          "  lost wake-up: condition #2 was notified while no task waited on it");
  }

  TEST_CASE("a loop that waits for nothing is told of as a livelock") {
    CHECK(message_of(
              [] {
                Sync::Atomic<bool> never = false;
                while (!never.load()) {
                }
              },
              {.steps_max = 100}) ==
          "not finished after 100 steps: a livelock, or Options::steps_max is too small");
  }

  TEST_CASE("an exception that leaves a task fails the schedule with its text") {
    CHECK(message_of([] {
            Sync::Thread a([] { throw std::runtime_error("no more"); });
            a.join();
          }) == "task 1 ended with an exception: no more");
    CHECK(message_of([] { throw 7; }) ==
          "task 0 ended with an exception that is not a std::exception");
  }

  TEST_CASE("misuse of a mutex is told of") {
    CHECK(message_of([] {
            Sync::Mutex mutex;
            mutex.lock();
            mutex.lock();
          }) == "locks mutex #1, which it holds already");
    CHECK(message_of([] {
            Sync::Mutex mutex;
            mutex.lock();
            Sync::Thread a([&] { mutex.unlock(); });
            a.join();
          }) == "unlocks mutex #1 without holding it");
    CHECK(message_of([] {
            std::optional<Sync::Mutex> mutex(std::in_place);
            mutex->lock();
            Sync::Thread a([&] { mutex->lock(); });
            lockstep::point();
            mutex.reset();
            a.join();
          }) == "mutex #1 is destroyed while a task waits for it");
  }

  TEST_CASE("misuse of a thread is told of") {
    CHECK(message_of([] { const Sync::Thread a([] {}); }) ==
          "the thread of task 1 is destroyed while it is joinable");
    CHECK(message_of([] {
            Sync::Thread a([] {});
            a = Sync::Thread();
          }) == "the thread of task 1 is assigned to while it is joinable");
    CHECK(message_of([] {
            Sync::Thread nobody;
            nobody.join();
          }) == "joins a thread that is not joinable");
    CHECK(message_of([] {
            Sync::Thread self;
            Sync::Atomic<bool> ready = false;
            self = Sync::Thread([&] {
              while (!ready.load()) Sync::yield();
              self.join();
            });
            ready.store(true);
            lockstep::point();
            while (true) Sync::yield();
          }) == "a thread joins itself");
  }

  TEST_CASE("use of an atomic after its end is told of") {
    CHECK(message_of([] {
            alignas(Sync::Atomic<int>) std::byte memory[sizeof(Sync::Atomic<int>)];
            Sync::Atomic<int>* volatile atomic = new (memory) Sync::Atomic<int>(1);
            std::destroy_at(atomic);
            atomic->load();
          }) == "load on an object that has been destroyed");
  }

  TEST_CASE("what the tasks of a failed schedule own is not destroyed and the failure reported") {
    static int destroyed = 0;
    struct Counted {
      int& living;  // on a stack that is gone after the failure
      explicit Counted(int& in) : living(in) { ++living; }
      Counted(const Counted&) = delete;
      Counted& operator=(const Counted&) = delete;
      ~Counted() { ++destroyed, --living; }
    };
    for (const bool begins : {false, true}) {
      destroyed = 0;
      CHECK(message_of([&] {
              int living = 0;
              Sync::Thread owner([held = std::make_shared<Counted>(living)] {
                lockstep::point();
                lockstep::point();
              });
              if (begins) lockstep::point();
              lockstep::require(false, "the body failed");
            }) == "the body failed");
      if (!begins) CHECK(destroyed == 0);
    }
    CHECK(message_of([] {
            struct Fails {
              ~Fails() { lockstep::require(false, "the end of a closure failed"); }
            };
            Sync::Thread owner([fails = std::make_shared<Fails>()] {});
            owner.join();
          }) == "the end of a closure failed");
  }

  TEST_CASE("more tasks than a schedule can have are refused") {
    CHECK(message_of([] {
            for (int i = 0; i < 100; ++i) Sync::Thread([] {}).detach();
          }) == "more than 64 tasks in one schedule");
  }

  TEST_CASE("what is required of no schedule at all throws") {
    CHECK_NOTHROW(lockstep::require(true, "fine"));
    CHECK_THROWS_WITH(lockstep::require(false, "not fine"),
                      "lockstep::require outside a schedule: not fine");
  }
}

}  // namespace weir
