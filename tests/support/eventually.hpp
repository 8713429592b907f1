#pragma once
#include <chrono>
#include <thread>

namespace weir::testing {

/// Polls until `fact` returns true; false when it does not within `limit`.
template <class Fact>
bool eventually(Fact&& fact, std::chrono::seconds limit = std::chrono::seconds(30)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!fact()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace weir::testing
