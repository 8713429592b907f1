#pragma once
#include <string>

#include "base/error.hpp"
#include "store/migration.hpp"

namespace weir::postgres {

/// Migrates the database's schema to the number that this program needs, under a lock: safe when
/// many programs start at the same time, and quick when there is nothing to do. Errors:
/// unavailable; conflict, kind "database_newer", when a newer Weir migrated it: then nothing is
/// changed.
Result<MigrationReport> migrate(const std::string& url);

/// Reads the schema's number and changes nothing. Errors: unavailable.
Result<SchemaState> schema_state(const std::string& url);

}  // namespace weir::postgres
