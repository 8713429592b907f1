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

/// Which plugin files came, changed or went, and have been quiet since: so that none is read while
/// it is written, and what happens together is dealt with together. Knows no file but by what
/// look() tells.  [one thread]
class SettlingFiles {
 public:
  struct Timing {
    std::chrono::milliseconds quiet{250};
    /// A file that somebody keeps open for writing is read after all when it has not changed for so
    /// long.
    std::chrono::milliseconds writer_patience{10'000};
  };
  struct Arrived {
    std::filesystem::path path;
    FileIdentity identity;
    Steady since;  ///< about when it became what it is
  };
  struct Batch {
    std::vector<Arrived> arrived;             ///< by path
    std::vector<std::filesystem::path> gone;  ///< that had arrived once
  };

  explicit SettlingFiles(
      Timing timing, std::function<bool(const std::filesystem::path&)> writing = is_being_written)
      : timing_(timing), writing_(std::move(writing)) {}

  /// Takes note of what stands in all folders together. `clock` is what files are dated by.
  void look(const FolderSnapshot& there, Steady now, std::chrono::system_clock::time_point clock);

  /// When something will have been quiet, together with what follows shortly; nullopt when all is
  /// known.
  std::optional<Steady> next() const;

  /// What has been quiet; each change once. With `at_once` also what has not, save files that are
  /// being written.
  Batch take(Steady now, bool at_once = false);

  /// To be taken once more, from `when` on, as it is.
  void again(const std::filesystem::path& path, Steady when);

 private:
  struct Known {
    FileIdentity seen = {};
    bool there = false;
    bool taken = false;   // it arrived once
    Steady since = {};    // about when it became what it is, or went
    Steady noticed = {};  // when we saw that
    std::optional<Steady> due = {};
  };

  void see(Known& known, const FileIdentity& identity, Steady now,
           std::chrono::system_clock::time_point clock) const;

  Timing timing_;
  std::function<bool(const std::filesystem::path&)> writing_;
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace weir
