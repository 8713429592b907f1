#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace weir::simulation {

// How often the things happened that schedules are to show.
struct Tally {
  std::uint64_t runs = 0, attempts = 0, events = 0;
  std::uint64_t shares = 0;        // taken by helpers
  std::uint64_t rows_locked = 0;   // of runs that could not end or be released then
  std::uint64_t large_writes = 0;  // beside the exchanges
  std::uint64_t withdrawn_writes = 0;
  std::uint64_t settlements = 0;  // committed by handlers
  std::uint64_t limited_claims = 0;
  std::uint64_t ticks = 0;         // started
  std::uint64_t deleted_runs = 0;  // by retention

  static constexpr std::array<std::pair<std::string_view, std::uint64_t Tally::*>, 11> columns = {{
      {"runs", &Tally::runs},
      {"attempts", &Tally::attempts},
      {"events", &Tally::events},
      {"shares taken", &Tally::shares},
      {"rows locked", &Tally::rows_locked},
      {"large writes", &Tally::large_writes},
      {"withdrawn", &Tally::withdrawn_writes},
      {"settlements", &Tally::settlements},
      {"claims under limits", &Tally::limited_claims},
      {"ticks", &Tally::ticks},
      {"runs deleted", &Tally::deleted_runs},
  }};

  Tally& operator+=(const Tally& other) {
    for (const auto& [name, column] : columns) this->*column += other.*column;
    return *this;
  }
};

inline std::string described(const Tally& tally) {
  std::string text;
  for (const auto& [name, column] : Tally::columns)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", tally.*column, name);
  return text;
}

}  // namespace weir::simulation
