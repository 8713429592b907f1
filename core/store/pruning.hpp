#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace weir {

/// Which finished runs are deleted (C7): those that ended longer ago than their flow's age.
struct Retention {
  /// For flows that are not in `flows`; nullopt keeps their runs.
  std::optional<std::chrono::milliseconds> age{};
  std::map<std::string, std::optional<std::chrono::milliseconds>> flows{};  ///< by slug

  /// Whether any run can be deleted at all.
  bool prunes() const {
    if (age) return true;
    for (const auto& [slug, own] : flows)
      if (own) return true;
    return false;
  }
};

/// How far pruning has come: to be passed to the next batch.
struct PruneCursor {
  std::int64_t after = 0;  ///< the run that was examined last
  /// Journal rows of runs below this number are not deleted one by one: their whole partition is
  /// dropped in the end.
  std::int64_t whole_until = 0;
};

/// What one batch did.
struct PruneReport {
  std::int64_t runs = 0, journal_rows = 0, partitions = 0, workers = 0;
  PruneCursor cursor{};
  bool finished = false;
};

}  // namespace weir
