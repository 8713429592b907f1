#include "store/postgres/schema.hpp"

#include "base/sha256.hpp"

namespace weir::postgres {
namespace {

// Raise them when calls between programs and databases that are further apart cannot work.
constexpr int oldest_program = 4;
constexpr int oldest_database = 5;

}  // namespace

std::string Schema::code_digest() const {
  Sha256 hash;
  for (const auto* files : {&functions, &views, &roles})
    for (const SqlFile& file : *files) hash.update(file.text);
  return hash.hex();
}

const Schema& program_schema() {
  static const Schema schema{.migrations = migrations(),
                             .functions = functions(),
                             .views = views(),
                             .roles = roles(),
                             .oldest_program = oldest_program,
                             .oldest_database = oldest_database};
  return schema;
}

}  // namespace weir::postgres
