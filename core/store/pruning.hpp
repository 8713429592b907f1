#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace weir {

/// Which finished runs go (C7): those that ended longer ago than their flow's age.
struct Retention {
  std::optional<std::chrono::milliseconds>
      age{};  ///< of flows that are not in `flows`; nullopt keeps
  std::map<std::string, std::optional<std::chrono::milliseconds>> flows{};  ///< by slug

  /// Whether anything goes at all.
  bool prunes() const {
    if (age) return true;
    for (const auto& [slug, own] : flows)
      if (own) return true;
    return false;
  }
};

/// How far a pruning has come: given back with the next batch.
struct PruneCursor {
  std::int64_t after = 0;        ///< the run it looked at last
  std::int64_t whole_until = 0;  ///< up to there runs leave their journal to its partition's end
};

/// What one batch of it did.
struct PruneReport {
  std::int64_t runs = 0, journal_rows = 0, partitions = 0, workers = 0;
  PruneCursor cursor{};
  bool finished = false;
};

}  // namespace weir
