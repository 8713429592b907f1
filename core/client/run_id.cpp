#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>

#include <fmt/format.h>
#include <sys/random.h>

#include <weir/client/statements.hpp>

#include "base/assert.hpp"

namespace weir {
namespace {

// The time in milliseconds with 12 more bits (RFC 9562, method 3); each call returns a later one.
std::uint64_t next_tick() {
  static std::mutex mutex;
  static std::uint64_t last = 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto nanoseconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  constexpr std::uint64_t in_a_millisecond = 1'000'000;
  const std::uint64_t tick = ((nanoseconds / in_a_millisecond) << 12) |
                             (((nanoseconds % in_a_millisecond) << 12) / in_a_millisecond);
  const std::scoped_lock lock(mutex);
  last = std::max(tick, last + 1);
  return last;
}

}  // namespace

std::string new_run_id() {
  std::uint64_t random = 0;
  const auto got = ::getrandom(&random, sizeof random, 0);
  WEIR_ASSERT(got == sizeof random);
  const std::uint64_t tick = next_tick();
  return fmt::format("{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}", tick >> 28, (tick >> 12) & 0xFFFF,
                     tick & 0xFFF, 0x8000 | ((random >> 48) & 0x3FFF), random & 0xFFFF'FFFF'FFFF);
}

}  // namespace weir
