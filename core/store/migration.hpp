#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace weir {

/// What a migration does, or did.
struct MigrationReport {
  int before = 0;  ///< the number of the schema that the database had; 0 for none
  int after = 0;
  std::vector<std::string> applied;  ///< names of migrations, in order
  bool replaces_code = false;        ///< functions, views and rights of roles

  bool nothing_to_do() const noexcept { return applied.empty() && !replaces_code; }
};

/// The schema that a database has, compared with this program's.
struct SchemaState {
  int database = 0;           ///< the number of its schema; 0 for none
  int program = 0;            ///< the number of this program's
  bool same_code = false;     ///< its functions, views and rights of roles are this program's
  std::optional<Error> lack;  ///< why this program cannot work with the database
  std::string remark;         ///< it can, but one of them is older: which; else empty

  bool current() const noexcept { return database == program && same_code; }
};

}  // namespace weir
