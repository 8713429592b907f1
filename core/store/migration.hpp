#pragma once
#include <string>
#include <vector>

#include "base/error.hpp"

namespace weir {

/// What migrate() did or found.
struct MigrationReport {
  int before = 0;  ///< number of the newest migration the database had; 0 for none
  int after = 0;
  std::vector<std::string> applied;  ///< names, in order
};

/// The schema's number in a database, and the one that this program needs.
struct SchemaState {
  int database = 0;
  int program = 0;
  bool current() const noexcept { return database == program; }
};

}  // namespace weir
