#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "plugin/inspection.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? std::strtoull(value, nullptr, 10) : otherwise;
}

// Most of what breaks a reader is in the first pages and in numbers that look like sizes and
// offsets.
void mutate(std::string& bytes, std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) { return std::size_t{random()} % limit; };
  const auto place = [&] {
    return below(below(2) == 0 ? std::min<std::size_t>(bytes.size(), 2048) : bytes.size());
  };
  for (std::size_t changes = 1 + below(8); changes > 0; --changes) {
    switch (below(6)) {
      case 0:
        bytes[place()] ^= static_cast<char>(1U << below(8));
        break;
      case 1:
        bytes[place()] = static_cast<char>(random());
        break;
      case 2:
        bytes[place()] = static_cast<char>(below(2) == 0 ? 0x00 : 0xFF);
        break;
      case 3:
        bytes.resize(1 + below(bytes.size()));
        break;
      case 4: {  // a number that is too large
        const std::size_t at = place() / 8 * 8;
        for (std::size_t i = at; i < std::min(at + 8, bytes.size()); ++i)
          bytes[i] = static_cast<char>(0xFF);
        break;
      }
      default: {  // what stands somewhere else
        const std::size_t from = place() / 8 * 8;
        const std::size_t to = place() / 8 * 8;
        for (std::size_t i = 0; i < 8 && std::max(from, to) + i < bytes.size(); ++i)
          bytes[to + i] = bytes[from + i];
      }
    }
  }
}

}  // namespace

TEST_SUITE("plugin: mutations") {
  TEST_CASE("plugin case 41: no bytes bring the reader down") {
    const std::uint64_t seed = from_environment("WEIR_SEED", std::random_device{}());
    const std::uint64_t count = from_environment("WEIR_MUTATIONS", 5'000);
    INFO("repeat with WEIR_SEED=" << seed << " WEIR_MUTATIONS=" << count);
    std::mt19937_64 random(seed);
    const std::string good = bytes_of(built("stripped"));
    std::size_t refused = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      TrustedFile file{.path = "mutated.so", .bytes = good, .sha256 = {}};
      mutate(file.bytes, random);
      const auto inspection = inspect_bytes(file);
      if (inspection) continue;
      ++refused;
      const std::string text = to_string(inspection.error());
      const std::size_t faults = inspection.error().faults.size();
      CHECK(text.size() < 2'000 * (1 + faults));
      CHECK(static_cast<std::size_t>(std::ranges::count(text, '\n')) == (faults > 1 ? faults : 0));
      CHECK(std::ranges::none_of(text, [](char c) { return c >= 0 && c < 0x20 && c != '\n'; }));
      CHECK_FALSE(inspection.error().detail.empty());
      CHECK_FALSE(inspection.error().path.empty());
    }
    CHECK(refused > count / 4);  // most mutations hit something that counts
  }
}
