/// Threads: start() and run() on one thread at a time; the others from any. The observer is called
/// by the thread in start() or run().
///
/// Invariants: what inotify tells only decides when the folders are looked at; what they hold is
/// all that counts. A file is read when it has been quiet, and what was read of it while it changed
/// is thrown away. Whatever happens to a file, what was published from it stays until something
/// sound takes its place or the file is gone.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "plugin/folder_events.hpp"
#include "plugin/folder_snapshot.hpp"
#include "plugin/library_reaper.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_board.hpp"
#include "plugin/plugin_observer.hpp"
#include "plugin/published_plugins.hpp"
#include "plugin/settling_files.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// Keeps a registry as the plugin folders are: what is dropped in goes live, what is replaced is
/// succeeded by the new version (V2), what is removed is unregistered. Refusals, collisions and
/// what is left of former versions stand on the board.
///
/// From a file complete (closed, or renamed into its folder) to live: `quiet`, and what loading
/// takes. Where inotify does not reach, after `rescan` at the latest.
class PluginWatcher {
 public:
  struct Options {
    std::chrono::milliseconds rescan{5'000};
    std::chrono::milliseconds quiet{250};
    /// A refusal that a file still being written may cause is told when it has not changed for so
    /// long.
    std::chrono::milliseconds youth{2'000};
    /// A folder that is not there counts as an empty one after so long.
    std::chrono::milliseconds folder_patience{1'000};
  };

  /// `folders` are absolute; all references must outlive it. What it published stays when it ends.
  PluginWatcher(std::vector<std::filesystem::path> folders, const PluginLoader& loader,
                FlowRegistry& registry, PluginBoard& board, PluginObserver observer,
                Options options);
  PluginWatcher(std::vector<std::filesystem::path> folders, const PluginLoader& loader,
                FlowRegistry& registry, PluginBoard& board, PluginObserver observer)
      : PluginWatcher(std::move(folders), loader, registry, board, std::move(observer), Options()) {
  }
  ~PluginWatcher();
  PluginWatcher(const PluginWatcher&) = delete;
  PluginWatcher& operator=(const PluginWatcher&) = delete;

  /// The first round: returns when what is in the folders is published, or refused. Later calls do
  /// nothing.
  void start();

  /// start(), and then round after round until stop().
  void run();

  /// Ends run(), now or later, when the round it is at is over.
  void stop() noexcept;

  /// Has the folders looked at now.
  void rescan() noexcept;

 private:
  struct Unsaid {  // a refusal that may pass, of a file that is still young
    PluginError error;
    FileIdentity of;
    Steady when;
  };
  struct Retry {  // of a refusal that may pass though the file stays as it is
    std::chrono::milliseconds after;
    Steady when;
  };
  struct Folder {
    FolderSnapshot last;
    std::optional<Steady> missing;  // since
  };

  void round(bool first);
  void look(bool first);
  FolderSnapshot look_at(const std::filesystem::path& path, Folder& folder, bool first);
  bool deal_with(SettlingFiles::Batch batch);
  std::vector<OpenedPlugin> load(const std::vector<SettlingFiles::Arrived>& arrived);
  void refuse(const SettlingFiles::Arrived& file, PluginError error);
  void try_again();
  void say_unsaid();
  void hear_reaper();
  Steady next_wake() const;

  const std::vector<std::filesystem::path> folders_;
  const PluginLoader& loader_;
  const PluginObserver observer_;
  const Options options_;
  FolderEvents events_;
  SettlingFiles files_;
  PublishedPlugins published_;
  std::map<std::filesystem::path, Folder> looks_;
  std::map<std::filesystem::path, Unsaid> unsaid_;
  std::map<std::filesystem::path, Retry> retries_;
  bool started_ = false;
  bool said_alone_ = false;
  Steady last_look_{};

  std::atomic<bool> stopped_{false};  // stop() stores, run() loads; the wake carries the rest

  std::mutex heard_mutex_;                                      // guards heard_
  std::vector<std::pair<LibraryReaper::Leaving, bool>> heard_;  // and whether it is pinned
  std::shared_ptr<const void> hearing_;  // the last: its end waits for a call that is under way
};

}  // namespace weir
