#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace weir {

/// One version of a flow, as weir.versions tells it (V4).
struct VersionReport {
  int number = 1;
  std::string module{};
  std::string fingerprint{};  ///< 64 hex digits
  Time created_at{};
  std::int64_t open_runs = 0;
  std::int64_t workers = 0;            ///< live ones that can run it
  std::vector<std::string> plugins{};  ///< sha256 of the files with which they do
  std::optional<int> adopted_by{};     ///< the version its open runs go on with
  bool newest = false;                 ///< what a start without a version gets
  bool safe_to_remove = false;         ///< not the newest, and no open run is left
};

/// What came of moving the open runs of a version to another one (V3).
struct Adoption {
  int version = 1;         ///< they go on with
  std::int64_t moved = 0;  ///< at once
  std::int64_t held = 0;   ///< by workers: they move when their worker lets go of them
};

/// What came of it for one older version, where the configuration says `adopt`.
struct AdoptedVersion {
  int version = 1;  ///< the older one
  std::int64_t moved = 0;
  std::int64_t held = 0;
  std::optional<std::string> refusal{};  ///< the first difference, when the two are not compatible
};

/// What is left of one definition of a flow.
struct VersionUse {
  std::optional<int> version{};  ///< its number; none where this database does not know it
  bool safe_to_remove = false;   ///< nothing will ask for its code any more
};

}  // namespace weir
