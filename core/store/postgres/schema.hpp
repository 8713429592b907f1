#pragma once
#include <string>
#include <vector>

#include "store/postgres/schema_files.hpp"

namespace weir::postgres {

/// What a program installs in a database, and which others it works with. The number of a schema is
/// that of its last migration; a release that changes anything has another one than the release
/// before (schemas/releases). Programs and databases of different numbers work together in the
/// range that these two limits leave: a database refuses what is older than `oldest_program`, a
/// program what is older than `oldest_database`.
struct Schema {
  std::vector<SqlFile> migrations, functions, views, roles;
  int oldest_program = 0;   ///< programs with this number and later ones can use these functions
  int oldest_database = 0;  ///< this program can use the functions of this number and later ones

  int number() const noexcept { return static_cast<int>(migrations.size()); }

  /// The SHA-256 of functions, views and roles: they are replaced as a whole when any of it differs.
  std::string code_digest() const;
};

/// This program's.
const Schema& program_schema();

}  // namespace weir::postgres
