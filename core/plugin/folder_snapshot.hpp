#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>

#include "plugin/plugin_error.hpp"

namespace weir {

/// Distinguishes the states of a file without reading it. It changes with whatever is written to
/// the file or put in its place; two contents can have the same times only within one step of the
/// clock, which is why files are read when they have been quiet.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint32_t mode = 0;  ///< kind and permissions; of a link, the link's own
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< since 1970, by the file system's clock
  std::int64_t changed_ns = 0;   ///< as modified_ns, of content, name or permissions
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// The identity of what is at that path, links not followed; nullopt when nothing is.  [any thread]
std::optional<FileIdentity> identity_of(const std::filesystem::path& path);

/// The plugin candidates of a folder (discover()) at about one moment. Opens none of them.
using FolderSnapshot = std::map<std::filesystem::path, FileIdentity>;

/// Errors: those of discover().  [any thread]
std::expected<FolderSnapshot, PluginError> snapshot_of(const std::filesystem::path& folder);

/// Whether a process has the file open for writing. False when that can't be found out: for another
/// user's file, or on a file system without leases.  [any thread]
bool is_being_written(const std::filesystem::path& path);

}  // namespace weir
