#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "support/seeds.hpp"

namespace weir {
namespace {

using Topics = KeyedRegistry<std::string, int>;
using Entries = std::vector<Topics::Entry>;

struct Counted {
  explicit Counted(int given) : value(given) {}
  Counted(const Counted& other) noexcept : value(other.value) { ++copies; }
  Counted(Counted&&) noexcept = default;
  Counted& operator=(const Counted&) = delete;
  ~Counted() = default;
  int value;
  static inline std::size_t copies = 0;
};

// How many values are copied while one of the entries under a key leaves and comes again.
std::size_t copies_of_a_change(std::size_t entries) {
  using Registry = KeyedRegistry<int, Counted>;
  Registry registry({.keys = Keys::duplicate});
  std::vector<Registry::Owner> owners;
  for (std::size_t i = 0; i < entries; ++i) {
    owners.push_back(registry.owner("owner"));
    CHECK(registry.register_(owners.back(), 1, Counted(static_cast<int>(i))));
  }
  constexpr std::size_t changes = 100;
  Counted::copies = 0;
  for (std::size_t i = 0; i < changes; ++i) {
    auto& owner = owners[i * 7'919 % entries];
    CHECK(registry.unregister(owner, 1) == 1);
    CHECK(registry.register_(owner, 1, Counted(0)));
  }
  return Counted::copies / changes;
}

// A node of a key, as Holdings sees it, that counts how often its hash is read.
struct CountingNode {
  struct Hash {
    std::uint64_t value;
    operator std::uint64_t() const noexcept {
      ++reads;
      return value;
    }
  } hash;
  static inline std::size_t reads = 0;
};

}  // namespace

TEST_SUITE("keyed registry: many entries") {
  TEST_CASE("a change under a key with 16,000 entries copies no more of them than with 100") {
    const std::size_t with_100 = copies_of_a_change(100);
    CHECK(copies_of_a_change(2'000) <= with_100);
    CHECK(copies_of_a_change(16'000) <= with_100);
  }

  TEST_CASE("an owner that forgets one of 40,000 keys looks at few of the others") {
    constexpr std::size_t count = 40'000;
    std::vector<CountingNode> nodes;
    for (std::size_t i = 0; i < count; ++i) nodes.push_back({{KeyHash<std::size_t>{}(i)}});
    keyed::Holdings<CountingNode> holdings;
    for (CountingNode& each : nodes) {
      holdings.make_room(nullptr);
      holdings.add(each, 1);
    }
    CountingNode::reads = 0;
    for (CountingNode& each : nodes) {
      auto* const holding = holdings.find(each);
      REQUIRE(holding != nullptr);
      holdings.erase(*holding);
    }
    CHECK(CountingNode::reads < 10 * count);
    for (const CountingNode& each : nodes) CHECK(holdings.find(each) == nullptr);
  }

  TEST_CASE("random calls under one key answer what a list would however many entries there are") {
    testing::for_seeds(5, [](std::mt19937_64& random) {
      Topics registry({.keys = Keys::duplicate});
      std::vector<Topics::Owner> owners;
      for (int i = 0; i < 40; ++i) owners.push_back(registry.owner(std::to_string(i)));
      Entries model;
      const std::size_t most = 100 + random() % 2'000;
      bool grows = true;
      for (int step = 0; step < 6'000; ++step) {
        if (model.size() >= most) grows = false;
        if (model.empty()) grows = true;
        Topics::Owner& owner = owners[random() % owners.size()];
        const auto own = [&](const Topics::Entry& each) { return each.owner == owner.id(); };
        const auto in_range = [&](int value) { return value % 7 < 3; };
        if (random() % 8 != 0 ? grows : !grows) {
          CHECK(registry.register_(owner, "k", step));
          model.push_back({owner.id(), step});
        } else if (random() % 4 == 0) {
          CHECK(registry.unregister(owner, "k") == std::erase_if(model, own));
        } else if (random() % 4 == 0) {
          const auto updated =
              registry.update_value(owner, "k", [](int value) { return value + 1; });
          CHECK((updated ? updated->size() : 0) ==
                static_cast<std::size_t>(std::ranges::count_if(model, own)));
          for (Topics::Entry& each : model) each.value += own(each) ? 1 : 0;
        } else {
          CHECK(registry.unregister_match(owner, "k", in_range) ==
                std::erase_if(model,
                              [&](const auto& each) { return own(each) && in_range(each.value); }));
        }
        CHECK(registry.count("k") == model.size());
        if (step % 16 == 0) CHECK(registry.lookup("k") == model);
        if (model.empty()) continue;
        CHECK(registry.dispatch_entries("k", [&](const Topics::Entries& all) {
          const std::size_t i = random() % model.size();
          CHECK(all[i].owner == model[i].owner);
          CHECK(all[i].value == model[i].value);
          if (step % 16 != 0) return;
          CHECK(std::ranges::equal(all, model, [](const auto& a, const auto& b) {
            return a.owner == b.owner && a.value == b.value;
          }));
        }) == model.size());
      }
    });
  }

  TEST_CASE("what a dispatch of many entries sees stays as it was while all of them change") {
    using Registry = KeyedRegistry<int, std::shared_ptr<int>>;
    Registry registry({.keys = Keys::duplicate});
    constexpr int count = 3'000;
    auto owner = registry.owner("owner");
    auto other = registry.owner("other");
    const auto value = std::make_shared<int>(1);
    for (int i = 0; i < count; ++i) CHECK(registry.register_(i % 3 == 0 ? other : owner, 1, value));
    int seen = 0;
    CHECK(registry.dispatch(1, [&](const Registry::View& view) {
      if (seen == 10) {
        CHECK(registry.update_value(owner, 1, [](const auto&) { return nullptr; }));
        other.end();
      }
      if (seen == 20) owner.end();
      seen += *view.value;
    }) == count);
    CHECK(seen == count);
    CHECK(registry.count() == 0);
    registry.sweep();
    CHECK(value.use_count() == 1);
  }
}

}  // namespace weir
