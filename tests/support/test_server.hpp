#pragma once
#include <filesystem>

#include "store/local/local_postgres.hpp"

namespace weir::testing {

/// The folder of the server that all tests of one build share: in memory if there is room, else in
/// the build folder. A database is four hundred files, and ext4 takes a third of a second to find
/// inodes for them once many were deleted; in memory this takes 15 ms.
std::filesystem::path test_server_folder();

/// A share in that server. fsync is off: after a power failure its data is lost. Throws
/// std::runtime_error when it cannot be started or joined.
LocalPostgres join_test_server();

/// Deletes all data of the server, unless it is in use.
void forget_test_server();

}  // namespace weir::testing
