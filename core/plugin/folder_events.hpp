#pragma once
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/file_descriptor.hpp"
#include "base/time.hpp"

namespace weir {

/// Hints that something happened to plugin files (inotify). Hints may be missing or superfluous:
/// only the folders show what is true.  [one thread, except wake()]
class FolderEvents {
 public:
  FolderEvents();

  /// Watches these folders as they are now. Call it repeatedly, as folders may be removed, created
  /// and replaced. For a missing folder its parent is watched.
  void watch(const std::vector<std::filesystem::path>& folders);

  /// Sleeps until something may have happened (true), or until wake() was called or the deadline
  /// passed (false).
  bool wait(Steady deadline);

  /// As wait(), but hints do not end it: the next wait() returns for them.
  void pause(Steady deadline);

  /// Ends one wait() or pause(), the present one or the next.  [any thread]
  void wake() noexcept;

  /// Why hints are missing, such as a limit on watches; empty when none are.
  const std::string& problem() const noexcept { return problem_; }

 private:
  using Awaited = std::pair<int, std::string>;  // its parent's watch, and its name there

  int watch_one(const std::filesystem::path& folder);
  bool sleep(Steady deadline, bool for_hints);
  bool read_hints();

  FileDescriptor inotify_;
  FileDescriptor woken_;                          // an eventfd
  std::map<std::filesystem::path, int> watches_;  // the watch of each folder that exists
  std::set<Awaited> awaited_;                     // missing folders
  std::string problem_;
};

}  // namespace weir
