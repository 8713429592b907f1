#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include <doctest/doctest.h>

#include <weir/registry/key_hash.hpp>
#include <weir/registry/keyed_registry.hpp>

namespace weir {

TEST_SUITE("registry: key hash") {
  TEST_CASE("pairs and tuples are keys and messages show their elements") {
    using Place = std::pair<std::string, int>;
    KeyedRegistry<Place, int> seats({.partitions = 2, .name = "seats"});
    KeyedRegistry<std::tuple<int, Place, bool>, int> nested({.name = "nested"});
    auto ada = seats.owner("ada");
    auto bob = nested.owner("bob");
    CHECK(seats.register_(ada, {"hall", 7}, 1));
    CHECK(seats.count(Place("hall", 7)) == 1);
    CHECK(seats.count(Place("hall", 8)) == 0);
    CHECK(seats.register_(ada, {"hall", 7}, 1).error().message ==
          R"(seats: key ("hall", 7) is held by owner 1 ("ada"))");
    CHECK(nested.register_(bob, {1, {"hall", 7}, true}, 1));
    CHECK(nested.register_(bob, {1, {"hall", 7}, true}, 1).error().message ==
          R"(nested: key (1, ("hall", 7), 1) is held by owner 1 ("bob"))");
  }

  TEST_CASE("the hashes of pairs and tuples depend on every element and on their order") {
    std::set<std::uint64_t> hashes;
    constexpr int side = 100;
    for (int a = 0; a < side; ++a)
      for (int b = 0; b < side; ++b) {
        hashes.insert(KeyHash<std::pair<int, int>>{}({a, b}));
        hashes.insert(KeyHash<std::tuple<int, int, int>>{}({a, b, 0}));
      }
    CHECK(hashes.size() == 2 * side * side);
    // As many different ones in the low bits as random numbers would have, or nearly.
    std::set<std::uint64_t> low;
    for (const std::uint64_t hash : hashes) low.insert(hash & 0xffff);
    CHECK(low.size() > 16'000);
  }
}

}  // namespace weir
