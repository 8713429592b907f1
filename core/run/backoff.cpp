#include "run/backoff.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace weir {
namespace {

// splitmix64's finisher: spreads neighbouring keys over the whole range.
std::uint64_t mixed(std::uint64_t x) noexcept {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

}  // namespace

Duration backoff(const StepOptions& options, std::int64_t run, TaskId task, int charged) noexcept {
  WEIR_ASSERT(charged >= 1);
  const Duration longest = options.max_delay;
  Duration wait = options.base_delay;
  for (int doubled = 0; doubled < charged && wait < longest && wait.count() > 0; ++doubled)
    wait = wait > longest / 2 ? longest : wait * 2;
  std::uint64_t key = mixed(static_cast<std::uint64_t>(run));
  key = mixed(key ^ task.step);
  key = mixed(key ^ task.index);
  key = mixed(key ^ static_cast<std::uint64_t>(charged));
  constexpr std::int64_t parts = 1'000;
  wait = std::min(wait, longest);
  return std::min(wait + wait * static_cast<std::int64_t>(key % parts) / (10 * parts), longest);
}

}  // namespace weir
