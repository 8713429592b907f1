/// Threads: start() and run() on one thread at a time; the other members from any. The observer is
/// called by the thread in start() or run().
///
/// Invariants: inotify only decides when the folders are scanned; what is done depends on their
/// content alone. A file is read when it has been quiet, and what was read of it while it changed
/// is discarded. Whatever happens to a file, what was published from it stays until something sound
/// takes its place or the file is gone.
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

/// Keeps a registry in step with the plugin folders: an added file goes live, a replaced one is
/// succeeded by the new version (V2), a removed one is unregistered. Refusals, collisions and what
/// is left of former versions are on the board.
///
/// A complete file (closed, or renamed into its folder) is live after `quiet` and the time that
/// loading takes. Where inotify does not work, it is noticed after `rescan` at the latest.
class PluginWatcher {
 public:
  struct Options {
    std::chrono::milliseconds rescan{5'000};
    std::chrono::milliseconds quiet{250};
    /// A refusal that an incomplete file may cause is reported when the file has not changed for
    /// this time.
    std::chrono::milliseconds refusal_delay{2'000};
    /// A missing folder counts as an empty one after this time.
    std::chrono::milliseconds folder_patience{1'000};
  };

  /// `folders` are absolute; all references must outlive it. What it published stays after its end.
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

  /// The first round: returns when everything in the folders is published, or refused. Later calls
  /// do nothing.
  void start();

  /// start(), and then more rounds until stop().
  void run();

  /// Ends run(), now or later, after its present round.
  void stop() noexcept;

  /// Makes the watcher scan the folders now.
  void rescan() noexcept;

 private:
  struct PendingRefusal {  // a refusal not reported yet: the file may be incomplete
    PluginError error;
    FileIdentity identity;
    Steady due;
  };
  // After a refusal, or a collision, that may disappear without a change of the file.
  struct Retry {
    std::chrono::milliseconds delay;
    Steady due;
  };
  struct FolderState {
    FolderSnapshot last;
    std::optional<Steady> missing;  // since when
  };

  void round(bool first);
  void scan_folders(bool first);
  FolderSnapshot scan_folder(const std::filesystem::path& path, FolderState& folder, bool first);
  // The batch, the files whose names collided, and what is due by now.
  SettlingFiles::Batch with_collided(SettlingFiles::Batch batch);
  bool handle_batch(const SettlingFiles::Batch& batch);
  std::vector<OpenedPlugin> load(const std::vector<SettlingFiles::SettledFile>& files);
  void refuse(const SettlingFiles::SettledFile& file, PluginError error);
  void retry_later(const std::filesystem::path& path);
  void retry_due_files();
  void report_due_refusals();
  void handle_unloads();
  Steady next_wake() const;

  const std::vector<std::filesystem::path> folders_;
  const PluginLoader& loader_;
  const PluginObserver observer_;
  const Options options_;
  FolderEvents events_;
  SettlingFiles files_;
  PublishedPlugins published_;
  std::map<std::filesystem::path, FolderState> folder_states_;
  std::map<std::filesystem::path, PendingRefusal> pending_refusals_;
  std::map<std::filesystem::path, Retry> retries_;
  bool started_ = false;
  bool reported_no_events_ = false;
  Steady last_scan_{};

  std::atomic<bool> stopped_{false};  // release in stop(), acquire in run()

  std::mutex unloads_mutex_;                                           // guards unloads_
  std::vector<std::pair<LibraryReaper::UnloadReport, bool>> unloads_;  // with whether it is pinned
  std::shared_ptr<const void> subscription_;  // last: its destruction waits for a running callback
};

}  // namespace weir
