#pragma once
#include <ctime>
#include <functional>
#include <string>
#include <string_view>

namespace weir::testing {

/// Whether four times the input, `piece` over and over, takes about four times the processor's time
/// rather than sixteen times.
inline bool takes_linear_time(const std::function<void(std::string_view)>& work,
                              std::string_view piece) {
  const auto seconds = [&](std::size_t bytes) {
    std::string input;
    while (input.size() < bytes) input += piece;
    const std::clock_t begin = std::clock();
    work(input);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  constexpr std::size_t bytes = 50'000;
  const double one = seconds(bytes);
  return seconds(4 * bytes) < 9 * one + 0.1;  // the tenth: where both are lost in the noise
}

}  // namespace weir::testing
