#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace weir {

/// One version of a flow: a row of weir.versions (V4).
struct VersionReport {
  int number = 1;
  std::string module{};
  std::string fingerprint{};  ///< 64 hex digits
  Time created_at{};
  std::int64_t open_runs = 0;
  std::int64_t workers = 0;            ///< live ones that can run it
  std::vector<std::string> plugins{};  ///< sha256 of the files that they run it with
  std::optional<int> adopted_by{};     ///< the version that its open runs continue with
  bool newest = false;                 ///< what a start without a version gets
  bool safe_to_remove = false;         ///< not the newest, and no open run is left
};

/// The result of moving the open runs of a version to another one (V3).
struct Adoption {
  int version = 1;         ///< the one that they continue with
  std::int64_t moved = 0;  ///< runs that moved immediately
  std::int64_t held = 0;   ///< runs that a worker owns: they move when it releases them
};

/// The same for one older version, when the configuration says `adopt`.
struct AdoptedVersion {
  int version = 1;  ///< the older one
  std::int64_t moved = 0;
  std::int64_t held = 0;
  std::optional<std::string> refusal{};  ///< the first difference, when the two are not compatible
};

/// Whether one definition of a flow is still used.
struct VersionUse {
  std::optional<int> version{};  ///< its number; nullopt when this database does not know it
  bool safe_to_remove = false;   ///< no run needs its code any more
};

}  // namespace weir
