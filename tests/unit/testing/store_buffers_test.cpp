#include <doctest/doctest.h>

#include <weir/testing/lockstep.hpp>

namespace weir {
namespace {

using lockstep::Sync;

lockstep::Report explored(bool store_buffers, const std::function<void()>& body) {
  const lockstep::LeaksIgnored ignored;  // what fails is left where it stands
  return lockstep::explore({.schedules = 5'000, .store_buffers = store_buffers}, body);
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
    seen_y = y.load();
  });
  Sync::Thread b([&] {
    y.store(1, order);
    between();
    seen_x = x.load();
  });
  a.join();
  b.join();
  lockstep::require(seen_x == 1 || seen_y == 1, "neither saw the other");
}

}  // namespace

TEST_SUITE("lockstep: store buffers") {
  TEST_CASE("two tasks that write and then read may miss each other only with store buffers") {
    const auto body = [] { both_write_then_read(std::memory_order_release, [] {}); };
    CHECK(!explored(false, body).failure);
    const lockstep::Report late = explored(true, body);
    REQUIRE(late.failure);
    CHECK(late.failure->message == "neither saw the other");
    CHECK(late.failure->repeatable);
  }

  TEST_CASE("a sequentially consistent store is seen at once") {
    CHECK(!explored(true, [] { both_write_then_read(std::memory_order_seq_cst, [] {}); }).failure);
  }

  TEST_CASE("a fence that all threads pass lets every store through") {
    CHECK(!explored(true, [] {
             both_write_then_read(std::memory_order_relaxed, [] { Sync::heavy_fence(); });
           }).failure);
    CHECK(explored(true, [] {
            both_write_then_read(std::memory_order_relaxed, [] { Sync::light_fence(); });
          }).failure);
  }

  TEST_CASE("a light fence on one side and a heavy one on the other are enough") {
    const lockstep::Report report = explored(true, [] {
      Sync::Atomic<int> x = 0;
      Sync::Atomic<int> y = 0;
      int seen_x = 0;
      int seen_y = 0;
      Sync::Thread reader([&] {
        x.store(1, std::memory_order_relaxed);
        Sync::light_fence();
        seen_y = y.load();
      });
      Sync::Thread writer([&] {
        y.store(1, std::memory_order_relaxed);
        Sync::heavy_fence();
        seen_x = x.load();
      });
      reader.join();
      writer.join();
      lockstep::require(seen_x == 1 || seen_y == 1, "neither saw the other");
    });
    CHECK_MESSAGE(!report.failure, to_string(report));
  }

  TEST_CASE("stores become visible in their order and one's own at once") {
    const lockstep::Report report = explored(true, [] {
      Sync::Atomic<int> data = 0;
      Sync::Atomic<bool> ready = false;
      Sync::Thread writer([&] {
        data.store(1, std::memory_order_relaxed);
        lockstep::require(data.load() == 1, "did not see its own store");
        ready.store(true, std::memory_order_release);
      });
      Sync::Thread reader([&] {
        if (ready.load(std::memory_order_acquire))
          lockstep::require(data.load() == 1, "the second store came before the first");
      });
      writer.join();
      reader.join();
      lockstep::require(data.load() == 1 && ready.load(), "a store of a joined task is missing");
    });
    CHECK_MESSAGE(!report.failure, to_string(report));
  }

  TEST_CASE("what was stored under a mutex is seen by the next who holds it") {
    const lockstep::Report report = explored(true, [] {
      Sync::Mutex mutex;
      Sync::Atomic<int> count = 0;
      const auto add = [&] {
        const std::scoped_lock lock(mutex);
        count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      };
      Sync::Thread a(add);
      Sync::Thread b(add);
      a.join();
      b.join();
      lockstep::require(count.load() == 2, "an addition was lost");
    });
    CHECK_MESSAGE(!report.failure, to_string(report));
  }
}

}  // namespace weir
