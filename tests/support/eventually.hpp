#pragma once
#include <chrono>
#include <thread>

namespace weir::testing {

/// How long a test waits for a fact before it fails: what a loaded machine may need.
#ifdef WEIR_BUILT_WITH_SANITIZERS
inline constexpr std::chrono::seconds patience{150};
#else
inline constexpr std::chrono::seconds patience{30};
#endif

/// Polls until `fact` returns true; false when it does not within `limit`.
template <class Fact>
bool eventually(Fact&& fact, std::chrono::seconds limit = patience) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!fact()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace weir::testing
