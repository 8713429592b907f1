#pragma once
#include <filesystem>

#include "store/local/local_postgres.hpp"

namespace weir::testing {

/// Where the server that all tests of one build share keeps its files: in memory where there is
/// room, else in the build folder. A database is four hundred files, and ext4 takes a third of a
/// second to find inodes for them once many were deleted; in memory they take 15 ms.
std::filesystem::path test_server_folder();

/// A share in that server. It forgets what it was told when the power goes: fsync is off.
/// Throws std::runtime_error when it cannot be had.
LocalPostgres join_test_server();

/// Deletes all that the server kept, unless somebody uses it.
void forget_test_server();

}  // namespace weir::testing
