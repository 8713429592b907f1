#pragma once
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include <doctest/doctest.h>

namespace weir::testing {

/// Calls `body(random)` for `count_default` seeds, new ones each time. A failure prints the command
/// line that repeats it. Environment: WEIR_SEED is the first seed, WEIR_SEEDS the number of seeds,
/// for longer tests.
template <class Body>
void for_seeds(std::uint64_t count_default, Body&& body) {
  const auto given = [](const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  };
  const std::uint64_t first = given("WEIR_SEED", std::random_device{}());
  const std::uint64_t count = given("WEIR_SEEDS", count_default);
  const doctest::ContextOptions& options = *doctest::getContextOptions();
  for (std::uint64_t seed = first; seed - first < count; ++seed) {
    INFO("repeat: WEIR_SEED=" << seed << " WEIR_SEEDS=1 " << options.binary_name << " -tc=\""
                              << std::string(options.currentTest->m_name) << "\"");
    std::mt19937_64 random(seed);
    body(random);
  }
}

}  // namespace weir::testing
