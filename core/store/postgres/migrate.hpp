#pragma once
#include <string>

#include "base/error.hpp"
#include "store/migration.hpp"
#include "store/postgres/schema.hpp"

namespace weir::postgres {

/// Migrates the database to `schema`, under a lock: safe when many programs do it at the same time
/// and while workers run, and quick when there is nothing to do. Its number only goes up. Errors:
/// unavailable, also with the kinds "not_utf8" and "locked", when somebody keeps a
/// table locked for seconds; conflict, kind "database_newer", when a newer Weir has
/// migrated it, and "depended_upon": then nothing is changed.
Result<MigrationReport> migrate(const std::string& url, const Schema& schema = program_schema());

/// What migrate() would do.
struct MigrationPlan {
  MigrationReport report;
  std::string script;  ///< for psql, one transaction; empty when there is nothing to do
};

/// Reads and changes nothing, with no right but to connect. Errors: those of migrate().
Result<MigrationPlan> plan_migration(const std::string& url,
                                     const Schema& schema = program_schema());

}  // namespace weir::postgres
