#pragma once
#include <string>

#include "base/error.hpp"
#include "store/migration.hpp"

namespace weir::postgres {

/// Brings the database's schema to what this program needs, under a lock: safe when many programs
/// start at once, and quick when there is nothing to do. Errors: unavailable; conflict, kind
/// "database_newer", when a newer Weir has been here: nothing is changed then.
Result<MigrationReport> migrate(const std::string& url);

/// What is there, without changing anything. Errors: unavailable.
Result<SchemaState> schema_state(const std::string& url);

}  // namespace weir::postgres
