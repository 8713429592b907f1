#include "support/test_server.hpp"

#include <stdexcept>

namespace weir::testing {

std::filesystem::path test_server_folder() {
  return std::filesystem::path(WEIR_BUILD_DIR) / "test-database";
}

LocalPostgres join_test_server() {
  auto server = LocalPostgres::open(
      test_server_folder(),
      {.elsewhere = std::filesystem::temp_directory_path() / "weir-test-database",
       .durable = false});
  if (!server) throw std::runtime_error(to_string(server.error()));
  return std::move(*server);
}

}  // namespace weir::testing
