#pragma once
#include <string>

#include "store/migration.hpp"
#include "store/postgres/schema.hpp"

namespace weir::postgres {

/// What the database holds; changes nothing, and needs no right but to connect. A lack is one of
/// the kinds not_migrated, no_permission, schema_older, database_newer, not_utf8, each with what to do.
/// Errors: unavailable, also with kind "locked".
Result<SchemaState> schema_state(const std::string& url, const Schema& schema = program_schema());

}  // namespace weir::postgres
