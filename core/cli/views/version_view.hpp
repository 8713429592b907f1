#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/time.hpp"
#include "cli/terminal/terminal.hpp"
#include "store/version_report.hpp"

namespace weir::cli {

/// "takes new runs", "in use", "moves to 2", "safe to remove"
std::string version_state(const VersionReport& version);

/// {"version","module","fingerprint","created_at","open_runs","workers","quarantined",
/// "plugins":[sha256], "adopted_by","takes_starts","safe_to_remove"}
Json version_json(const VersionReport& version);

/// A table with one line per version.
std::string versions_text(std::span<const VersionReport> versions, Time now,
                          const Terminal& terminal);

/// One line that says where a version's open runs moved.
std::string adoption_text(int from, const Adoption& adoption);

/// {"from","to","moved","held"}
Json adoption_json(int from, const Adoption& adoption);

}  // namespace weir::cli
