#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file_descriptor.hpp"
#include "base/time.hpp"

namespace weir {

/// Hints that something happened to plugin files (inotify). Some may be missing, more than needed
/// may come: the truth is in the folders.  [one thread, but wake()]
class FolderEvents {
 public:
  FolderEvents();

  /// Watches these folders, as they are now: to be called again and again, as folders go, come back
  /// and are replaced. Of one that is not there, the folder above is watched for it.
  void watch(const std::vector<std::filesystem::path>& folders);

  /// Sleeps until something may have happened (true), or wake() was called or the deadline came
  /// (false).
  bool wait(Steady deadline);

  /// As wait(), but sleeps through hints: they are told by the next one.
  void pause(Steady deadline);

  /// Ends one wait() or pause(), this or the next.  [any thread]
  void wake() noexcept;

  /// Why hints are missing: nobody may watch more folders; empty when none are.
  const std::string& trouble() const noexcept { return trouble_; }

 private:
  int watch_one(const std::filesystem::path& folder);
  bool sleep(Steady deadline, bool for_hints);
  bool read_hints();

  FileDescriptor inotify_;
  FileDescriptor woken_;                      // an eventfd
  std::map<std::filesystem::path, int> own_;  // watch of each folder that is there
  std::map<int, std::string>
      awaited_;  // by the watch of the folder above: the name of a missing one
  std::string trouble_;
};

}  // namespace weir
