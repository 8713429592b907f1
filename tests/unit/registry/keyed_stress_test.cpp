#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

namespace weir {
namespace {

constexpr int threads = 4;
constexpr int rounds = 2'000;

// Runs `body(number)` on `threads` threads that begin together.
template <class Body>
void together(Body&& body) {
  std::latch start(threads);
  std::vector<std::jthread> all;
  for (int i = 0; i < threads; ++i)
    all.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
}

}  // namespace

TEST_SUITE("keyed registry: threads") {
  TEST_CASE("of all who want a unique key at the same time one gets it") {
    KeyedRegistry<std::string, int> registry({.partitions = 2});
    std::atomic<int> holders = 0;
    std::atomic<int> wrong = 0;
    together([&](int) {
      auto owner = registry.owner("owner");
      for (int i = 0; i < rounds; ++i) {
        if (!registry.register_(owner, "lock", i)) continue;
        if (holders.fetch_add(1) != 0) ++wrong;
        if (registry.values(owner, "lock") != std::vector<int>{i}) ++wrong;
        holders.fetch_sub(1);
        if (registry.unregister(owner, "lock") != 1) ++wrong;
      }
    });
    CHECK(wrong == 0);
    CHECK(registry.count() == 0);
  }

  TEST_CASE("readers see whole entries while owners come and go under the same keys") {
    using Registry = KeyedRegistry<std::string, std::shared_ptr<std::string>>;
    Registry registry({.keys = Keys::duplicate, .partitions = 2});
    std::atomic<int> wrong = 0;
    together([&](int number) {
      for (int i = 0; i < rounds / 4; ++i) {
        const std::string name = "owner number " + std::to_string(number);
        auto owner = registry.owner(name, std::make_shared<std::string>(name));
        for (int k = 0; k < 4; ++k)
          if (!registry.register_(owner, "key " + std::to_string((i + k) % 6))) ++wrong;
        const std::string key = "key " + std::to_string(i % 6);
        const auto good = [&](const Registry::View& view) {
          if (!view.value->starts_with("owner number ")) ++wrong;
        };
        registry.dispatch(key, good);
        registry.look(key, good);
        registry.each([&](const std::string& each, const Registry::View& view) {
          if (!each.starts_with("key ")) ++wrong;
          good(view);
        });
        if (!registry.update_value(owner, key, [&](const auto&) {
              return std::make_shared<std::string>(name + " again");
            }))
          ++wrong;
        if (registry.unregister(owner, key) != 1) ++wrong;
        const OwnerId id = owner.id();
        owner.end();
        for (const Registry::Entry& entry : registry.lookup("key " + std::to_string((i + 1) % 6)))
          if (entry.owner == id) ++wrong;
      }
    });
    CHECK(wrong == 0);
    CHECK(registry.count() == 0);
  }

  TEST_CASE("an owner that ends while other threads register for it is left with nothing") {
    KeyedRegistry<std::string, int> registry({.keys = Keys::duplicate, .partitions = 2});
    std::atomic<int> wrong = 0;
    for (int round = 0; round < rounds / 40; ++round) {
      auto owner = registry.owner("owner");
      together([&](int number) {
        for (int i = 0; i < 20; ++i) {
          if (number == 0 && i == 10) {
            owner.end();
            if (registry.count() != 0) ++wrong;
          } else if (const auto entered = registry.register_(owner, std::to_string(i), i);
                     !entered && entered.error().kind != "owner_ended") {
            ++wrong;
          }
        }
      });
      if (registry.count() != 0) ++wrong;
    }
    CHECK(wrong == 0);
  }

  TEST_CASE("listeners on many threads hear of each key's changes in turn and miss none") {
    using Registry = KeyedRegistry<int, int>;
    std::array<std::atomic<int>, 4> registered{};
    std::atomic<int> notified = 0;
    std::atomic<int> wrong = 0;
    std::atomic<int> entered = 0;
    {
      Registry registry({.partitions = 2}, {[&](const Registry::Change& change) {
                          const bool added = change.what == Registry::Change::What::registered;
                          const auto key = static_cast<std::size_t>(change.key);
                          if (registered[key].exchange(added ? 1 : 0) != (added ? 0 : 1)) ++wrong;
                          ++notified;
                        }});
      together([&](int number) {
        auto owner = registry.owner("owner");
        for (int i = 0; i < rounds; ++i) {
          const int key = (i + number) % 4;
          if (!registry.register_(owner, key, i)) continue;
          ++entered;
          if (i % 3 != 0) registry.unregister(owner, key);
          if (i % 16 == 0) owner = registry.owner("next");
        }
      });
    }
    CHECK(wrong == 0);
    CHECK(notified == 2 * entered);
  }
}

}  // namespace weir
