#pragma once
#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "plugin/plugin_error.hpp"

namespace weir {

/// Whose files are loaded.
struct TrustPolicy {
  std::size_t bytes_max = std::size_t{256} << 20U;
  std::vector<std::string>
      sha256_allow;  ///< 64 lower-case hex digits each; empty: every hash is allowed
};

/// A plugin file as it was read once. Everything later looks at these bytes alone, so nothing that
/// happens to the file afterwards matters.
struct TrustedFile {
  std::filesystem::path path;  ///< as given
  std::string bytes;
  std::string sha256;
};

/// Reads a plugin file if it can be trusted: a regular file (no link), at most bytes_max, hash
/// allowed; the file and every folder on the way to it belong to root or to this process's user and
/// can be written by no group and no others, except folders with the sticky bit. Never blocks on a
/// FIFO.  [any thread]
///
/// Errors: not_found, not_regular, unreadable, too_big, untrusted_path, hash_not_allowed; stage
/// verify.
std::expected<TrustedFile, PluginError> read_trusted(const std::filesystem::path& path,
                                                     const TrustPolicy& policy = {});

}  // namespace weir
