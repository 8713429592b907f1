#pragma once
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/file_descriptor.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/staged_copy.hpp"
#include "plugin/trust.hpp"

namespace weir {

/// A private folder (0700) for the copies that are loaded, one for a process. No other user can
/// change what was verified, and overwriting a file in a plugin folder does not affect a loaded
/// plugin.  [any thread]
///
/// Removed by the destructor. A folder that a killed process left behind is removed by the next
/// open() of the same user at the same place: a living owner holds a lock on its folder.
class StageDirectory {
 public:
  /// Below `base`, or below the first of $XDG_RUNTIME_DIR, /dev/shm, $TMPDIR, /tmp that can be
  /// written to and from which code may run. Errors: noexec_mount, stage_failed; stage `stage`;
  /// their path is the folder.
  static std::expected<StageDirectory, PluginError> open(
      const std::optional<std::filesystem::path>& base = std::nullopt);

  StageDirectory(StageDirectory&&) noexcept = default;
  StageDirectory& operator=(StageDirectory&&) = delete;
  ~StageDirectory();

  /// Writes `file` as <sha256>.so, unless it exists. Returns its absolute path and a hold on it:
  /// the copy is removed with the last hold. Errors: stage_failed.
  std::expected<StagedCopy, PluginError> put(const TrustedFile& file) const;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  class Copies;

  StageDirectory(std::filesystem::path path, FileDescriptor directory);

  static std::expected<StageDirectory, PluginError> open_below(const std::filesystem::path& base);

  std::filesystem::path path_;
  FileDescriptor directory_;  // holds the flock that shows the owner lives; empty once moved from
  std::shared_ptr<Copies> copies_;  // holds may outlive this
};

}  // namespace weir
