#pragma once
#include <filesystem>

#include "store/local/local_postgres.hpp"

namespace weir::testing {

/// Where the server that all tests of one build share keeps its files.
std::filesystem::path test_server_folder();

/// A share in that server. It forgets what it was told when the power goes: fsync is off.
/// Throws std::runtime_error when it cannot be had.
LocalPostgres join_test_server();

}  // namespace weir::testing
