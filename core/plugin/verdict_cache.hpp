/// Threads: every member from any thread. Processes may share a file: whoever saves reads it again
/// under a lock, adds what it knows, and puts a whole new file in its place.
///
/// Invariant: what is read from the file was written whole by this user or root: owner and mode of
/// the file and all folders above it are checked as a plugin's are, and a sum at its end.
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

/// What scanners said of plugins, kept in a file, so that no plugin is tried again while nothing
/// has changed: its bytes, this program's build, the libraries it needs. A refusal is believed for
/// an hour, one that may be the machine's fault for a minute; what says nothing of the plugin isn't
/// kept at all.
class VerdictCache {
 public:
  static constexpr std::size_t entries_max = 8192;  ///< beyond it, those used last are kept
  static constexpr std::size_t bytes_max = std::size_t{8} << 20U;

  struct Verdict {
    std::optional<PluginError> refused = {};  ///< nullopt: sound
  };

  using Clock = std::function<Time()>;  // of the system

  /// Reads what is there. A file that is missing, damaged, too big or somebody else's is an empty
  /// one: problem() says why, but for a missing one.
  explicit VerdictCache(std::filesystem::path file, Clock clock = {});

  /// What find() and put() go by.
  static std::string key_of(const PluginInspection& plugin, DependencyState& dependencies);

  /// What is known; a refusal has path and sha256 of `plugin`.
  std::optional<Verdict> find(const std::string& key, const PluginFile& plugin);

  void put(const std::string& key, const std::optional<PluginError>& refused);

  /// Believes nothing that was known before; what is put from now on counts (`--rescan`).
  void forget();

  /// Writes the file, with folders missing above it, unless there is nothing new. Errors:
  /// unavailable, kind "verdicts_unwritable".
  Result<void> save();

  /// Why the file was not read, or not written at last.
  std::optional<Error> problem() const;

 private:
  struct Entry {
    std::int64_t used = 0;   // seconds since 1970
    std::int64_t until = 0;  // likewise; 0: for good
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
