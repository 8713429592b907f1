#include "registry/pins.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace weir {
namespace {

using Count = Pins<>::Count;

struct Object {
  Pins<> pins;
};

}  // namespace

TEST_SUITE("registry: pins") {
  TEST_CASE("an object that nobody holds ends when it is retired") {
    for (const std::size_t stripes : {1U, 2U, 64U}) {
      PinPool<> pool(stripes);
      Object object;
      pool.claim(object.pins);
      CHECK(object.pins.retire());
    }
  }

  TEST_CASE("an object that was held and let go ends when it is retired") {
    PinPool<> pool(4);
    Object object;
    pool.claim(object.pins);
    Count& count = object.pins.take();
    Pins<>::take_again(count);
    CHECK_FALSE(Pins<>::drop(count));
    CHECK_FALSE(Pins<>::drop(count));
    CHECK(object.pins.retire());
  }

  TEST_CASE("a retired object ends with the last of who hold it and not before") {
    PinPool<> pool(4);
    Object object;
    pool.claim(object.pins);
    std::vector<Count*> counts(3);
    for (Count*& each : counts)  // threads of different numbers, so stripes of their own
      std::thread([&] { each = &object.pins.take(); }).join();
    Count& mine = object.pins.take();
    CHECK_FALSE(object.pins.retire());
    Pins<>::take_again(mine);
    std::size_t ends = 0;
    const auto drop = [&](Count& count) {
      if (Pins<>::drop(count) && object.pins.ended()) ++ends;
    };
    drop(mine);
    for (Count* each : counts) drop(*each);
    CHECK(ends == 0);
    drop(mine);
    CHECK(ends == 1);
  }

  TEST_CASE("an object of no pool is held once and ends with that") {
    Object object;
    CHECK_FALSE(object.pins.claimed());
    Count& count = object.pins.alone();
    Pins<>::take_again(count);
    CHECK_FALSE(Pins<>::drop(count));
    CHECK(Pins<>::drop(count));
    CHECK(object.pins.ended());
  }

  TEST_CASE("counts are given again only once their object is gone and start at zero") {
    PinPool<> pool(2);
    std::vector<std::unique_ptr<Object>> objects;
    std::vector<Count*> counts;
    for (std::size_t i = 0; i < 3 * PinPool<>::slots; ++i) {
      objects.push_back(std::make_unique<Object>());
      pool.claim(objects.back()->pins);
      counts.push_back(&objects.back()->pins.take());
      for (std::size_t other = 0; other < i; ++other) REQUIRE(counts[other] != counts[i]);
    }
    Object* const last = objects.back().get();
    CHECK_FALSE(last->pins.retire());
    CHECK(Pins<>::drop(*counts.back()));
    CHECK(last->pins.ended());
    objects.pop_back();
    Object next;
    pool.claim(next.pins);
    Count& count = next.pins.take();
    CHECK(&count == counts.back());
    CHECK(count.load() == 1);
    CHECK_FALSE(Pins<>::drop(count));
    for (std::size_t i = 0; i < objects.size(); ++i) CHECK_FALSE(Pins<>::drop(*counts[i]));
  }

  TEST_CASE("counts outlive their pool as long as an object has them") {
    auto pool = std::make_unique<PinPool<>>(2);
    auto object = std::make_unique<Object>();
    pool->claim(object->pins);
    Count& count = object->pins.take();
    pool.reset();
    CHECK_FALSE(object->pins.retire());
    CHECK(Pins<>::drop(count));
    CHECK(object->pins.ended());
    object.reset();
  }

  TEST_CASE("of threads that take and drop while an object is retired exactly one sees its end") {
    PinPool<> pool(4);
    for (std::size_t round = 0; round < 300; ++round) {
      auto* object = new Object;
      pool.claim(object->pins);
      std::atomic<std::size_t> ends = 0;
      const auto drop = [&](Count& count) {
        if (!Pins<>::drop(count) || !object->pins.ended()) return;
        ++ends;
        delete object;
      };
      std::vector<Count*> held;
      for (int i = 0; i < 2; ++i) held.push_back(&object->pins.take());
      std::vector<std::jthread> threads;
      for (Count* each : held)
        threads.emplace_back([&drop, each] {
          for (int i = 0; i < 20; ++i) Pins<>::take_again(*each);
          for (int i = 0; i < 21; ++i) drop(*each);
        });
      if (object->pins.retire()) {
        ++ends;
        delete object;
      }
      threads.clear();
      REQUIRE(ends == 1);
    }
  }
}

}  // namespace weir
