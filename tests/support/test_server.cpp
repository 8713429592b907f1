#include "support/test_server.hpp"

#include <cstdint>
#include <stdexcept>

#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/local/cluster_folder.hpp"
#include "store/local/file_lock.hpp"
#include "store/local/server.hpp"

namespace weir::testing {
namespace {

constexpr const char* memory = "/dev/shm";

/// Whether there is a file system in memory that is large enough: a container's 64 MB are not.
bool memory_has_room() {
  struct statfs files{};
  return access(memory, W_OK | X_OK) == 0 && statfs(memory, &files) == 0 &&
         files.f_type == TMPFS_MAGIC &&
         files.f_blocks * static_cast<std::uint64_t>(files.f_bsize) >= std::uint64_t{2} << 30;
}

std::filesystem::path elsewhere() {
  return std::filesystem::temp_directory_path() / "weir-test-database";
}

}  // namespace

std::filesystem::path test_server_folder() {
  struct stat build{};
  if (stat(WEIR_BUILD_DIR, &build) != 0 || !memory_has_room())
    return std::filesystem::path(WEIR_BUILD_DIR) / "test-database";
  return fmt::format("{}/weir-test-database-{}-{}-{}", memory, geteuid(), build.st_dev,
                     build.st_ino);
}

LocalPostgres join_test_server() {
  auto server =
      LocalPostgres::open(test_server_folder(), {.elsewhere = elsewhere(), .durable = false});
  if (!server) throw std::runtime_error(to_string(server.error()));
  return std::move(*server);
}

void forget_test_server() {
  const auto cluster = local::ClusterFolder::open(test_server_folder(), elsewhere());
  if (!cluster) return;
  auto start = local::FileLock::open(cluster->start_lock(), cluster->owner());
  auto users = local::FileLock::open(cluster->users_lock(), cluster->owner());
  if (!start || !users || !start->lock_exclusive() || !users->try_lock_exclusive()) return;
  local::stop(*cluster, std::chrono::steady_clock::now() +
                            LocalPostgres::Options().patience);  // left by users that crashed
  // The lock files stay: a process that waits for them finds no cluster, and makes one.
  std::error_code ignored;
  std::filesystem::remove(cluster->root() / "initialised", ignored);
  std::filesystem::remove_all(cluster->data(), ignored);
}

}  // namespace weir::testing
