#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "unit/registry/watched_sync.hpp"

namespace weir {

TEST_SUITE("keyed registry: lock") {
  TEST_CASE("a lock gives what its function gives and is free again after an exception") {
    KeyedRegistry<std::string, int> registry;
    CHECK(registry.lock("a", [] { return 7; }) == 7);
    int value = 1;
    registry.lock("a", [&]() -> int& { return value; }) = 2;
    CHECK(value == 2);
    CHECK_THROWS_AS(registry.lock("a", [] { throw std::runtime_error("no"); }), std::runtime_error);
    CHECK(registry.lock("a", [&] { return registry.lock("b", [] { return 8; }); }) == 8);
  }

  TEST_CASE("the locks of keys and the entries under keys have nothing to do with each other") {
    KeyedRegistry<std::string, int> registry;
    auto owner = registry.owner("owner");
    registry.lock("a", [&] {
      CHECK(registry.register_(owner, "a", 1));
      CHECK(registry.unregister(owner, "a") == 1);
    });
    CHECK(registry.count() == 0);
  }

  TEST_CASE("what is looked up and started under a lock is started once") {
    KeyedRegistry<int, std::shared_ptr<int>> registry;
    std::atomic<int> started = 0;
    auto owner = registry.owner("owner");
    {
      std::vector<std::jthread> all;
      for (int i = 0; i < 4; ++i)
        all.emplace_back([&] {
          for (int key = 0; key < 500; ++key)
            registry.lock(key, [&] {
              if (registry.count(key) > 0) return;
              started += registry.register_(owner, key, std::make_shared<int>(key)) ? 1 : 1'000;
            });
        });
    }
    CHECK(started == 500);
  }

  TEST_CASE("who waits for the lock of a key gets it in the order of arrival") {
    KeyedRegistry<int, int, testing::WatchedSync> registry;
    std::vector<int> order;  // guarded by the lock
    std::vector<std::jthread> all;
    registry.lock(1, [&] {
      for (int i = 0; i < 4; ++i) {
        all.emplace_back([&, i] { registry.lock(1, [&] { order.push_back(i); }); });
        testing::WatchedSync::wait_for_sleepers(i + 1);
      }
    });
    all.clear();
    CHECK(order == std::vector<int>{0, 1, 2, 3});
  }
}

}  // namespace weir
