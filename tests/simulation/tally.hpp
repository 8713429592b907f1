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
  std::uint64_t overlapped_exchanges = 0;
  std::uint64_t settlements = 0;  // committed by handlers
  std::uint64_t deferred = 0;     // calls
  std::uint64_t refused_completions = 0;
  std::uint64_t limited_claims = 0;
  std::uint64_t ticks = 0;          // started
  std::uint64_t deleted_runs = 0;   // by retention
  std::uint64_t crashes = 0;        // of the database server
  std::uint64_t lossy_crashes = 0;  // those that lost commits
  std::uint64_t resumed = 0;        // workers that went on after that
  std::uint64_t failovers = 0;

  static constexpr std::array<std::pair<std::string_view, std::uint64_t Tally::*>, 18> columns = {{
      {"runs", &Tally::runs},
      {"attempts", &Tally::attempts},
      {"events", &Tally::events},
      {"shares taken", &Tally::shares},
      {"rows locked", &Tally::rows_locked},
      {"large writes", &Tally::large_writes},
      {"withdrawn", &Tally::withdrawn_writes},
      {"overlapped exchanges", &Tally::overlapped_exchanges},
      {"settlements", &Tally::settlements},
      {"calls deferred", &Tally::deferred},
      {"completions refused", &Tally::refused_completions},
      {"claims under limits", &Tally::limited_claims},
      {"ticks", &Tally::ticks},
      {"runs deleted", &Tally::deleted_runs},
      {"crashes", &Tally::crashes},
      {"crashes that lost commits", &Tally::lossy_crashes},
      {"workers resumed", &Tally::resumed},
      {"failovers", &Tally::failovers},
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
