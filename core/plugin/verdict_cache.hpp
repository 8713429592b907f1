/// Threads: every member from any thread. Processes may share a file: each one reads it again under
/// a lock before it saves, adds its own entries, and puts a whole new file in its place.
///
/// Invariant: what is read from the file was written whole by this user or root: owner and mode of
/// the file and all folders above it are checked as a plugin's are, and so is a checksum at its
/// end.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/time.hpp"
#include "plugin/dependency_state.hpp"
#include "plugin/inspection.hpp"
#include "plugin/plugin_error.hpp"

namespace weir {

/// The verdicts of scanners on plugins, kept in a file, so that no plugin is scanned again unless
/// something has changed: its bytes, this program's build, the libraries it needs. A refusal is
/// valid for an hour, one that may be the machine's fault for a minute; one that says nothing about
/// the plugin isn't kept.
class VerdictCache {
 public:
  static constexpr std::size_t entries_max = 8192;  ///< beyond it, the most recently used are kept
  static constexpr std::size_t bytes_max = std::size_t{8} << 20U;

  struct Verdict {
    std::optional<PluginError> refused = {};  ///< nullopt: sound
  };

  using Clock = std::function<Time()>;  // of the system

  /// Reads the file. One that is missing, damaged, too big or another user's counts as empty:
  /// problem() says why, except for a missing one.
  explicit VerdictCache(std::filesystem::path file, Clock clock = {});

  /// The key for find() and put().
  static std::string key_of(const PluginInspection& plugin, DependencyState& dependencies);

  /// The verdict, if it is known; a refusal has path and sha256 of `plugin`.
  std::optional<Verdict> find(const std::string& key, const PluginFile& plugin);

  void put(const std::string& key, const std::optional<PluginError>& refused);

  /// Drops all verdicts so far, in the file too; those put from now on count (`--rescan`).
  void forget();

  /// Writes the file, and creates missing folders above it, unless nothing changed. Errors:
  /// unavailable, kind "verdicts_unwritable".
  Result<void> save();

  /// The most recent reason why the file was not read or not written; nullopt if there was none.
  std::optional<Error> problem() const;

 private:
  struct Entry {
    std::int64_t used = 0;   // seconds since 1970
    std::int64_t until = 0;  // seconds since 1970; 0: for good
    std::optional<PluginError> refused = {};
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  std::int64_t now() const;
  Result<Entries> read() const;
  Result<void> write(const Entries& entries) const;
  static std::string written(const Entries& entries);
  static std::optional<Entries> parsed(std::string_view text);

  const std::filesystem::path file_;
  const Clock clock_;
  mutable std::mutex mutex_;  // guards all that follows
  Entries entries_;
  bool changed_ = false;
  bool forgot_ = false;
  std::optional<Error> problem_;
};

}  // namespace weir
