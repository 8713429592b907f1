#pragma once
#include <algorithm>
#include <chrono>
#include <utility>

namespace weir {

/// How long a worker waits before it joins again: not at all after a life that lasted, and ever
/// longer while its lives are short.
class RejoinPause {
 public:
  static constexpr std::chrono::milliseconds first{100}, longest{5'000};
  /// A life that was at least so long counts as one that lasted.
  static constexpr std::chrono::milliseconds lasting{10'000};

  /// To be called once after each life.
  std::chrono::milliseconds after(std::chrono::steady_clock::duration life) {
    if (life >= lasting) next_ = {};
    return std::exchange(next_, std::clamp(2 * next_, first, longest));
  }

 private:
  std::chrono::milliseconds next_{};
};

}  // namespace weir
