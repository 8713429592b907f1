#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace weir {

/// One version of a flow: a row of weir.versions (V4).
struct VersionReport {
  std::string flow{};  ///< slug
  int number = 1;
  std::string module{};
  std::string fingerprint{};  ///< 64 hex digits
  Time created_at{};
  std::int64_t open_runs = 0;
  std::int64_t workers = 0;            ///< live ones that can run it
  std::int64_t quarantined = 0;        ///< live ones in which its plugin is in quarantine
  std::vector<std::string> plugins{};  ///< sha256 of the files that they run it with
  std::optional<int> adopted_by{};     ///< the version that its open runs continue with
  bool takes_starts = false;           ///< a start without a version takes it (V5)
  bool safe_to_remove = false;         ///< it takes no starts, and no open run is left
};

/// A version that no live worker can run, though there are open or new runs for it.
struct WaitingVersion {
  std::string flow{};
  int number = 1;
  std::string text{};  ///< a sentence: the flow, the version, why its runs wait, and what to do
};

/// `versions` are all versions of some flows, those of one flow beside each other.
std::vector<WaitingVersion> waiting_versions(std::span<const VersionReport> versions);

/// The one with this fingerprint; null when the database does not know it.
const VersionReport* find_version(std::span<const VersionReport> versions, std::string_view flow,
                                  std::string_view fingerprint);

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

}  // namespace weir
