#pragma once
#include <optional>
#include <string>

#include <pqxx/pqxx>

#include "base/error.hpp"
#include "store/postgres/schema.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {

/// What there is of Weir in a database.
struct FoundSchema {
  std::string database, encoding, user;
  bool exists = false;      ///< Weir's schema; false also for a schema weir of somebody else
  bool may_read = false;    ///< this user may read its number
  int number = 0;           ///< of its last migration; 0 for none
  std::string code_digest;  ///< empty before the first code
  int oldest_program = 0;   ///< that can use its functions
};

/// Reads it, with no right but to connect. Throws pqxx's exceptions.
FoundSchema find_schema(pqxx::transaction_base& transaction);

/// The same in a transaction of its own. Errors: unavailable, also with kind "locked".
Result<FoundSchema> find_schema(Session& session);

/// The error of a database that no Weir can use, or not for this user: not_utf8, no_permission.
std::optional<Error> access_error(const FoundSchema& found);

/// The error of a database that a newer program has migrated.
Error newer_error(const FoundSchema& found, const Schema& schema);

}  // namespace weir::postgres
