#pragma once
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/log_level.hpp"
#include "store/version_report.hpp"

namespace weir {

/// A version in the registry of a process.
struct RegisteredVersion {
  std::string flow{};         ///< slug
  std::string fingerprint{};  ///< 64 hex digits
  bool newest = true;         ///< in the registry: it is not there for open runs only
  friend bool operator==(const RegisteredVersion&, const RegisteredVersion&) = default;
};

/// What the log of a process says about the versions of its flows (V5): new runs that take another
/// version than the one it has, and runs that wait for a version which no live worker can run. Each
/// is said once, and again when it is so again.  [one thread at a time]
class VersionNews {
 public:
  struct Line {
    LogLevel level = LogLevel::info;
    std::string text{};
  };

  /// `versions` are those of the flows in `registered`, and of others whose runs may wait, as
  /// waiting_versions() takes them.
  std::vector<Line> update(std::span<const RegisteredVersion> registered,
                           std::span<const VersionReport> versions);

 private:
  std::set<std::string> told_;
};

}  // namespace weir
