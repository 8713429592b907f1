#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "plugin/folder_snapshot.hpp"

namespace weir {

/// Tracks which plugin files were added, changed or removed and have been quiet since: so that none
/// is read while it is written, and changes that happen together are handled together. Knows files
/// only from update().  [one thread]
class SettlingFiles {
 public:
  struct Timing {
    std::chrono::milliseconds quiet{250};
    /// A file that a process keeps open for writing is read nevertheless when it has not changed
    /// for this time.
    std::chrono::milliseconds writer_patience{10'000};
  };
  struct SettledFile {
    std::filesystem::path path;
    FileIdentity identity;
    Steady since;  ///< about when it got its present state
  };
  struct Batch {
    std::vector<SettledFile> settled;            ///< by path
    std::vector<std::filesystem::path> removed;  ///< that had settled before
  };

  explicit SettlingFiles(
      Timing timing, std::function<bool(const std::filesystem::path&)> writing = is_being_written)
      : timing_(timing), writing_(std::move(writing)) {}

  /// Notes the content of all folders together. `clock` is now by the clock that dates files.
  void update(const FolderSnapshot& snapshot, Steady now,
              std::chrono::system_clock::time_point clock);

  /// When the next change will have been quiet, together with others that follow shortly; nullopt
  /// when there is none.
  std::optional<Steady> next() const;

  /// The changes that have been quiet; each once. With `at_once` the others too, except files that
  /// are being written. A removal waits for new files, and these for a removal: together they may be
  /// one file that has another name now.
  Batch take(Steady now, bool at_once = false);

  /// Makes take() return the file once more, from `when` on, even if it does not change.
  void requeue(const std::filesystem::path& path, Steady when);

 private:
  struct Known {
    FileIdentity identity = {};
    bool present = false;
    bool taken = false;   // take() has returned it before
    Steady since = {};    // about when it got its present state, or was removed
    Steady noticed = {};  // when update() found that
    std::optional<Steady> due = {};
  };

  void note(Known& known, const FileIdentity& identity, Steady now,
            std::chrono::system_clock::time_point clock) const;

  bool may_be_half(const std::filesystem::path& path, const Known& known, Steady now) const;

  Timing timing_;
  std::function<bool(const std::filesystem::path&)> writing_;
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace weir
