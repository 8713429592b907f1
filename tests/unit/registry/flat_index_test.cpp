#include "registry/flat_index.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/slug.hpp"
#include "support/seeds.hpp"

namespace weir {
namespace {

using Index = FlatIndex<const int>;

const int one = 1;
const int two = 2;

void put(Index& index, std::string_view name, const int& value) {
  index.put(name, name_hash(name), &value);
}
const int* find(const Index& index, std::string_view name) {
  return index.find(name, name_hash(name));
}

std::map<std::string, const int*> contents(const Index& index) {
  std::map<std::string, const int*> all;
  index.for_each([&](std::string_view name, const int& value) {
    CHECK(all.emplace(std::string(name), &value).second);
  });
  return all;
}

}  // namespace

TEST_SUITE("registry: flat index") {
  TEST_CASE("an empty index finds nothing and owns nothing") {
    Index index;
    CHECK(find(index, "") == nullptr);
    CHECK(find(index, "a") == nullptr);
    CHECK(index.size() == 0);
    CHECK(index.bytes() == 0);
    CHECK(index == Index());
  }

  TEST_CASE("a name is found in its spelling and any spelling of it by find_folded") {
    ScopedFlatIndex<const int> index;
    put(index, "CaseFlow", one);
    CHECK(find(index, "CaseFlow") == &one);
    CHECK(find(index, "caseflow") == nullptr);
    CHECK(index.find_folded("cASEfLOW", name_hash("cASEfLOW")) == &one);
    CHECK(index.find_folded("case_flow", name_hash("case_flow")) == nullptr);
  }

  TEST_CASE("spellings of one name stand side by side") {
    ScopedFlatIndex<const int> index;
    put(index, "shop.a", one);
    put(index, "shop.A", two);
    CHECK(find(index, "shop.a") == &one);
    CHECK(find(index, "shop.A") == &two);
    CHECK(index.erase("shop.a", name_hash("shop.a")));
    CHECK(find(index, "shop.a") == nullptr);
    CHECK(find(index, "shop.A") == &two);
  }

  TEST_CASE("names of every length up to the longest slug and module are told apart") {
    ScopedFlatIndex<const int> index;
    std::vector<std::string> names;
    for (std::size_t length = 0; length <= ModuleName::bytes_max; ++length) {
      names.emplace_back(length, 'x');
      if (length == 0) continue;
      names.push_back(names.back());
      names.back().back() = 'y';  // differs in the last byte alone
    }
    std::vector<int> values(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) put(index, names[i], values[i]);
    for (std::size_t i = 0; i < names.size(); ++i) CHECK(find(index, names[i]) == &values[i]);
    CHECK(find(index, std::string(1'000'000, 'x')) == nullptr);
  }

  TEST_CASE("a copy is another version and neither sees what the other becomes") {
    ScopedFlatIndex<const int> first;
    put(first, "a", one);
    ScopedFlatIndex<const int> second(first.copied(1));
    put(second, "b", two);
    put(second, "a", two);
    CHECK(find(first, "a") == &one);
    CHECK(find(first, "b") == nullptr);
    CHECK(find(second, "a") == &two);
    CHECK(find(second, "b") == &two);
  }

  TEST_CASE("names that come and go leave no bytes behind") {
    ScopedFlatIndex<const int> index;
    put(index, "stays", one);
    std::size_t most = 0;
    for (int i = 0; i < 1'000; ++i) {
      const std::string name = "comes_and_goes_" + std::to_string(i);
      ScopedFlatIndex<const int> with(index.copied(name.size()));
      put(with, name, two);
      ScopedFlatIndex<const int> without(with.copied(0));
      CHECK(without.erase(name, name_hash(name)));
      std::swap(static_cast<Index&>(index), static_cast<Index&>(without));
      most = std::max(most, index.bytes());
    }
    CHECK(most < 512);
    CHECK(contents(index) == std::map<std::string, const int*>{{"stays", &one}});
  }

  TEST_CASE("after any operations it holds what a std::map holds") {
    testing::for_seeds(20, [](std::mt19937_64& random) {
      const std::vector<int> values(8);
      const std::size_t names = 1 + random() % 300;
      std::map<std::string, const int*> model;
      ScopedFlatIndex<const int> index;
      for (int step = 0; step < 2'000; ++step) {
        std::string name = "flow_" + std::to_string(random() % names);
        if (random() % 4 == 0) name[0] = 'F';
        if (random() % 8 == 0) name += std::string(random() % 60, 'x');
        const int* value = &values[random() % values.size()];
        switch (random() % 8) {
          case 0:
          case 1:
          case 2:
            put(index, name, *value);
            model[name] = value;
            break;
          case 3:
          case 4:
            if (index.size() != 0)
              REQUIRE(index.erase(name, name_hash(name)) == (model.erase(name) != 0));
            break;
          case 5: {
            Index copy = index.copied(random() % 2 * name.size());
            std::swap(static_cast<Index&>(index), copy);
            copy.free();
            break;
          }
          default: {
            const auto found = model.find(name);
            REQUIRE(find(index, name) == (found == model.end() ? nullptr : found->second));
          }
        }
        REQUIRE(index.size() == model.size());
      }
      CHECK(contents(index) == model);
    });
  }
}

TEST_SUITE("registry: name hash") {
  TEST_CASE("spellings that differ in case alone hash alike and other names do not") {
    std::map<std::uint64_t, std::string> seen;
    for (std::size_t length = 1; length <= 70; ++length)
      for (std::size_t at = 0; at < length; ++at)
        for (const char c : {'a', 'z', '0', '9', '_'}) {
          std::string name(length, 'q');
          name[at] = c;
          const auto [other, is_new] = seen.emplace(name_hash(name), name);
          CHECK_MESSAGE((is_new || other->second == name), name << " and " << other->second);
          for (char& each : name)
            each = static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
          CHECK(name_hash(name) == other->first);
        }
  }

  TEST_CASE("names that differ in a number spread over slots and shards and marks alike") {
    for (const std::string prefix : {"f", "process_order_", "shop.flows.eu.west.ProcessOrder"})
      for (const unsigned shift : {0U, 32U, 48U}) {
        constexpr std::size_t places = 256;
        constexpr std::size_t each = 64;
        std::vector<std::size_t> count(places);
        for (std::size_t i = 0; i < places * each; ++i)
          ++count[(name_hash(prefix + std::to_string(i)) >> shift) % places];
        double chi = 0;
        for (const std::size_t n : count) {
          const double off = static_cast<double>(n) - each;
          chi += off * off / each;
        }
        // Chance gives about 255. Up to twice that, searches are hardly longer.
        CHECK_MESSAGE(chi < 2 * 255, prefix << " >> " << shift << ": " << chi);
      }
  }
}

}  // namespace weir
