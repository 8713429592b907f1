#include <array>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/lockstep.hpp>

namespace weir {
namespace {

using lockstep::StrategyKind;
using lockstep::Sync;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto seq_cst = std::memory_order_seq_cst;

lockstep::Report explored_weak(const std::function<void()>& body, bool weak_memory = true) {
  const lockstep::LeaksIgnored ignored;  // what fails is left where it stands
  return lockstep::explore({.schedules = 5'000, .weak_memory = weak_memory}, body);
}

// Holds under random schedules, and under every one with two preemptions.
bool holds(const std::function<void()>& body) {
  const lockstep::Report all = lockstep::explore(
      {.strategy = StrategyKind::depth_first, .schedules = 100'000, .weak_memory = true}, body);
  const lockstep::Report some = explored_weak(body);
  INFO(to_string(all) << to_string(some));
  CHECK(all.exhausted);
  return !all.failure && !some.failure;
}

std::string found(const std::function<void()>& body) {
  const lockstep::Report report = explored_weak(body);
  if (!report.failure) return "nothing";
  CHECK(report.failure->repeatable);
  return report.failure->message;
}

// Each of two tasks writes its own and then reads the other's: "store buffering".
void both_write_then_read(std::memory_order order, void (*between)()) {
  Sync::Atomic<int> x = 0;
  Sync::Atomic<int> y = 0;
  int seen_x = 0;
  int seen_y = 0;
  Sync::Thread a([&] {
    x.store(1, order);
    between();
    seen_y = y.load(order == seq_cst ? seq_cst : relaxed);
  });
  Sync::Thread b([&] {
    y.store(1, order);
    between();
    seen_x = x.load(order == seq_cst ? seq_cst : relaxed);
  });
  a.join();
  b.join();
  lockstep::require(seen_x == 1 || seen_y == 1, "neither saw the other");
}

// One task writes data and then says so, another reads them when it is said: "message passing".
std::function<void()> message(std::memory_order say, std::memory_order hear,
                              std::optional<std::memory_order> fence_before = {},
                              std::optional<std::memory_order> fence_after = {}) {
  return [=] {
    Sync::Atomic<int> data = 0;
    Sync::Atomic<bool> ready = false;
    Sync::Thread writer([&] {
      data.store(1, relaxed);
      lockstep::require(data.load(relaxed) == 1, "did not see its own store");
      if (fence_before) Sync::fence(*fence_before);
      ready.store(true, say);
    });
    Sync::Thread reader([&] {
      if (!ready.load(hear)) return;
      if (fence_after) Sync::fence(*fence_after);
      lockstep::require(data.load(relaxed) == 1, "the data are old");
    });
    writer.join();
    reader.join();
    lockstep::require(data.load(relaxed) == 1 && ready.load(relaxed),
                      "a store of a joined task is missing");
  };
}

}  // namespace

TEST_SUITE("lockstep: weak memory") {
  TEST_CASE("two tasks that write and then read may miss each other only with weak memory") {
    const auto body = [] { both_write_then_read(release, [] {}); };
    CHECK(!explored_weak(body, false).failure);
    CHECK(found(body) == "neither saw the other");
  }

  TEST_CASE("of two sequentially consistent stores one is seen") {
    CHECK(holds([] { both_write_then_read(seq_cst, [] {}); }));
  }

  TEST_CASE("a full fence between a store and a load orders them and a weaker one does not") {
    CHECK(holds([] { both_write_then_read(relaxed, [] { Sync::fence(seq_cst); }); }));
    CHECK(found([] {
            both_write_then_read(relaxed, [] { Sync::fence(std::memory_order_acq_rel); });
          }) == "neither saw the other");
    CHECK(holds([] { both_write_then_read(relaxed, [] { Sync::heavy_fence(); }); }));
    CHECK(found([] { both_write_then_read(relaxed, [] { Sync::light_fence(); }); }) ==
          "neither saw the other");
  }

  TEST_CASE("a light fence on one side and a heavy one on the other are enough") {
    CHECK(holds([] {
      Sync::Atomic<int> x = 0;
      Sync::Atomic<int> y = 0;
      int seen_x = 0;
      int seen_y = 0;
      Sync::Thread reader([&] {
        x.store(1, relaxed);
        Sync::light_fence();
        seen_y = y.load(relaxed);
      });
      Sync::Thread writer([&] {
        y.store(1, relaxed);
        Sync::heavy_fence();
        seen_x = x.load(relaxed);
      });
      reader.join();
      writer.join();
      lockstep::require(seen_x == 1 || seen_y == 1, "neither saw the other");
    }));
  }

  TEST_CASE("data are passed by a release that is acquired and by nothing less") {
    CHECK(holds(message(release, acquire)));
    CHECK(found(message(relaxed, acquire)) == "the data are old");
    CHECK(found(message(release, relaxed)) == "the data are old");
    CHECK(!explored_weak(message(relaxed, relaxed), false).failure);
  }

  TEST_CASE("fences pass data where the store and the load are relaxed") {
    CHECK(holds(message(relaxed, relaxed, release, acquire)));
    CHECK(found(message(relaxed, relaxed, release)) == "the data are old");
    CHECK(found(message(relaxed, relaxed, std::nullopt, acquire)) == "the data are old");
  }

  TEST_CASE("who acquires what an addition made of a release has the release's data") {
    const auto body = [](bool plain_store) {
      return [plain_store] {
        Sync::Atomic<int> data = 0;
        Sync::Atomic<int> count = 0;
        Sync::Thread first([&] {
          data.store(1, relaxed);
          count.store(1, release);
        });
        Sync::Thread second([&] {
          if (count.load(relaxed) != 1) return;
          if (plain_store)
            count.store(2, relaxed);
          else
            count.fetch_add(1, relaxed);
        });
        Sync::Thread reader([&] {
          if (count.load(acquire) == 2)
            lockstep::require(data.load(relaxed) == 1, "the data are old");
        });
        first.join();
        second.join();
        reader.join();
      };
    };
    CHECK(holds(body(false)));
    CHECK(found(body(true)) == "the data are old");
  }

  TEST_CASE("a task never sees an older value of one atomic than it has seen") {
    CHECK(holds([] {
      Sync::Atomic<int> value = 0;
      Sync::Thread writer([&] {
        for (int i = 1; i <= 3; ++i) value.store(i, relaxed);
      });
      int last = 0;
      for (int i = 0; i < 3; ++i) {
        const int seen = value.load(relaxed);
        lockstep::require(seen >= last, "the value went back");
        last = seen;
      }
      writer.join();
    }));
  }

  TEST_CASE("an addition is never lost whatever its order") {
    CHECK(holds([] {
      Sync::Atomic<int> count = 0;
      const auto add = [&] {
        count.fetch_add(1, relaxed);
        for (int old = count.load(relaxed); !count.compare_exchange_weak(old, old + 1, relaxed);) {
        }
      };
      Sync::Thread a(add);
      Sync::Thread b(add);
      a.join();
      b.join();
      lockstep::require(count.load(relaxed) == 4, "an addition was lost");
    }));
  }

  TEST_CASE("two readers may see two writes in different orders unless all are of one order") {
    const auto body = [](std::memory_order store, std::memory_order load) {
      return [=] {
        Sync::Atomic<int> x = 0;
        Sync::Atomic<int> y = 0;
        bool x_first = false;
        bool y_first = false;
        Sync::Thread a([&] { x.store(1, store); });
        Sync::Thread b([&] { y.store(1, store); });
        Sync::Thread c([&] { x_first = x.load(load) == 1 && y.load(load) == 0; });
        Sync::Thread d([&] { y_first = y.load(load) == 1 && x.load(load) == 0; });
        a.join();
        b.join();
        c.join();
        d.join();
        lockstep::require(!x_first || !y_first, "each came before the other");
      };
    };
    CHECK(found(body(release, acquire)) == "each came before the other");
    CHECK(!explored_weak(body(seq_cst, seq_cst)).failure);
  }

  TEST_CASE("what was stored under a mutex or before a semaphore is seen by the next") {
    CHECK(holds([] {
      Sync::Mutex mutex;
      Sync::Atomic<int> count = 0;
      const auto add = [&] {
        const std::scoped_lock lock(mutex);
        count.store(count.load(relaxed) + 1, relaxed);
      };
      Sync::Thread a(add);
      Sync::Thread b(add);
      a.join();
      b.join();
      lockstep::require(count.load(relaxed) == 2, "an addition was lost");
    }));
    CHECK(holds([] {
      Sync::Semaphore<1> one{1};
      Sync::SharedMutex mutex;
      Sync::Atomic<int> count = 0;
      Sync::Thread a([&] {
        one.acquire();
        count.store(1, relaxed);
        one.release();
      });
      Sync::Thread b([&] {
        one.acquire();
        const int seen = count.load(relaxed);
        one.release();
        const std::scoped_lock lock(mutex);
        count.store(seen + 10, relaxed);
      });
      b.join();
      {
        const std::shared_lock lock(mutex);
        lockstep::require(count.load(relaxed) >= 1, "a store is missing");
      }
      a.join();
    }));
  }

  TEST_CASE("a task that takes over the index of one that ended has seen what that one did") {
    CHECK(holds([] {
      Sync::Atomic<int> value = 0;
      std::array<std::size_t, 2> indexes{};
      Sync::Thread a([&] {
        indexes[0] = Sync::thread_index();
        value.store(1, relaxed);
      });
      Sync::Thread b([&] {
        Sync::Thread inner([&] {
          indexes[1] = Sync::thread_index();
          if (indexes[0] == indexes[1])
            lockstep::require(value.load(relaxed) == 1, "the one before has left no trace");
        });
        inner.join();
      });
      a.join();
      b.join();
    }));
  }
}

}  // namespace weir
