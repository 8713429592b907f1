#pragma once
#include <filesystem>
#include <optional>

#include "base/error.hpp"

namespace weir::local {

/// A folder with initdb and postgres of one version.
struct PostgresPrograms {
  static constexpr int major_min = 14;  // what the SQL in schemas/ needs

  std::filesystem::path folder;
  std::optional<int> major;  ///< if the folder's name contains it

  std::filesystem::path initdb() const { return folder / "initdb"; }
  std::filesystem::path postgres() const { return folder / "postgres"; }
};

/// The programs to use: those in `chosen`, else those in $WEIR_POSTGRES_BIN, else the newest below
/// /usr/lib/postgresql and /usr, else, if there are none, those on the PATH. A cluster runs only
/// with the version that made it: `wanted` selects that one. Errors: "postgres_missing",
/// "postgres_too_old".
Result<PostgresPrograms> find_programs(const std::filesystem::path& chosen,
                                       std::optional<int> wanted);

}  // namespace weir::local
