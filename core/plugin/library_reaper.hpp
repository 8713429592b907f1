/// Threads: every member from any thread. A thread of its own, started with the first library and
/// never ended, is the only one that closes libraries; so a library may be released in any context,
/// even by code that has just called into it.
///
/// Invariants:
/// - Libraries are loaded and closed one at a time (`loading_`), and what shows that a library's
///   code is gone is read before the next one is loaded: no mapping is taken for another.
/// - The same bytes are loaded once: an entry is *held*, *queued*, or out of the table, and only
///   the reaper takes one out, with `loading_` held, after finding it queued.
/// - Each hold on an entry has a number, and only the newest counts: the late end of an older one
///   has no effect. So a load that finds a library queued takes it back.
/// - The copy of a library in the stage is held until its code is gone.
/// - Once the process exits, or stop_unloading() was called, nothing is closed any more; a close
///   that is under way ends before the system's own last steps.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "plugin/library.hpp"

namespace weir {

/// The libraries of this process: which are loaded, and how they are unloaded when they have no
/// holder.
class LibraryReaper {
 public:
  /// What is reported about a library that has lost its last holder.
  struct UnloadReport {
    std::string sha256;
    std::filesystem::path staged;  ///< its private copy
    std::string why;               ///< pinned: what keeps its code, and what to do about it
  };

  /// Callbacks on the reaper's thread, one at a time.
  struct Observer {
    /// The code is gone; for a pinned library this comes after `pinned`.
    std::function<void(const UnloadReport&)> unloaded = {};
    /// The library is closed, but still mapped; called once.
    std::function<void(const UnloadReport&)> pinned = {};
  };

  struct Counts {
    std::size_t held = 0;
    std::size_t queued = 0;  ///< to be closed, or just being closed
    std::size_t pinned = 0;
  };

  using Holding = std::shared_ptr<const Library>;
  using Open = std::function<std::expected<std::unique_ptr<Library>, PluginError>()>;

  static LibraryReaper& of_process();

  /// The library of these bytes. If it is not loaded, `open` loads it, while no other is loaded or
  /// closed; of several threads that ask at once, one calls `open`. Errors: those of `open`.
  ///
  /// Cost: a lock and a table lookup if it is loaded; it does not wait for other loads then.
  std::expected<Holding, PluginError> hold(const std::string& sha256, const Open& open);

  /// Observes for as long as the result lives, which must not be destroyed inside a callback.
  [[nodiscard]] std::shared_ptr<const void> observe(Observer observer);

  Counts counts() const;

  /// Whether a library of these bytes is held, queued or pinned, or observers have not been
  /// notified yet that it was unloaded.
  bool knows(const std::string& sha256) const;

  /// Waits until nothing is queued and all observers were notified; false when the deadline passed
  /// first. For tests, and for callers that must know.
  bool wait_until_idle(Steady deadline) const;

 private:
  friend void stop_unloading();

  struct Entry {
    std::unique_ptr<Library> library;
    std::weak_ptr<const Library> handle;
    std::uint64_t hold = 0;  // the number of the newest hold
    bool queued = false;
  };
  struct Closed {
    std::unique_ptr<Library> library;
    std::string sha256;
  };
  struct Notification {
    UnloadReport report;
    bool pinned;
  };

  LibraryReaper();

  Holding find(const std::string& sha256);
  Holding make_hold(const std::string& sha256, Entry& entry);
  void release(const std::string& sha256, std::uint64_t hold);

  void run();
  std::vector<Notification> close_some();
  std::vector<Closed> take_queued();
  void note_pinned();
  void notify(const std::vector<Notification>& all);

  // Set by atexit and stop_unloading(), checked by the reaper before it closes.
  std::atomic<bool> exiting_{false};
  std::mutex loading_;  // locked before mutex_; guards pinned_
  std::list<Closed> pinned_;

  mutable std::mutex mutex_;  // guards all that follows
  std::condition_variable wake_;
  mutable std::condition_variable idle_;
  std::map<std::string, Entry> entries_;  // by sha256
  std::uint64_t holds_ = 0;
  std::size_t queued_ = 0;
  std::vector<std::string> closing_;       // taken out of entries_, observers not yet notified
  std::vector<std::string> still_mapped_;  // pinned_, for readers that must not wait for loading_
  std::mutex observers_mutex_;             // held while observers are notified
  std::list<Observer> observers_;
};

/// Closes no library of this process any more, and returns once one that is being closed is closed.
/// For the end of main(): the exit that follows destroys the static objects of plugins, which may
/// take time, and their code must not be unmapped meanwhile. [any thread]
void stop_unloading();

}  // namespace weir
