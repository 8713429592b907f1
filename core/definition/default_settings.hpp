#pragma once
#include <chrono>
#include <cstddef>

/// What an operator gets who sets nothing: flows.yaml and the parts that it configures take their
/// defaults from here.
namespace weir::default_settings {

inline constexpr std::size_t slots = 8;
inline constexpr std::size_t async_calls = 1'000;
inline constexpr std::int64_t async_bytes = 256 * 1024 * 1024;
inline constexpr std::chrono::milliseconds lease = std::chrono::seconds(15);
inline constexpr std::chrono::milliseconds drain_timeout = std::chrono::seconds(30);

inline constexpr std::size_t max_crashes = 3;
inline constexpr std::chrono::milliseconds crash_window = std::chrono::seconds(60);
inline constexpr std::chrono::milliseconds quarantine = std::chrono::seconds(30);

}  // namespace weir::default_settings
