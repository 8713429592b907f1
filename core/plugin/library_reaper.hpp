/// Threads: every member from any thread. A thread of its own, begun with the first library and
/// never ended, is the only one that closes libraries; so a thread that lets go of one may be in
/// whatever it likes, code of that very library's caller included.
///
/// Invariants:
/// - Loading and closing are done one at a time (`loading_`), and what proves that a library's code
///   is gone is read before the next one is loaded: nobody's mapping is taken for another's.
/// - The same bytes are loaded once: an entry is *held*, *queued*, or out of the table, and only
///   the reaper takes one out, with `loading_` held, after finding it queued.
/// - Each hold on an entry has a number, the newest one counts: the end of an older one, that comes
///   late, does nothing. So a load that finds a library queued takes it back.
/// - The copy of a library in the stage is held until its code is gone.
/// - Once the process exits nothing is closed any more; a close that is under way ends before the
///   system's own last steps.
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

/// The libraries of this process: which are loaded, and how they leave when nobody holds them.
class LibraryReaper {
 public:
  /// A library that nobody holds.
  struct Leaving {
    std::string sha256;
    std::filesystem::path staged;  ///< its private copy
    std::string why;               ///< pinned: what keeps its code, and what to do about it
  };

  /// Told on the reaper's thread, one at a time.
  struct Observer {
    std::function<void(const Leaving&)> unloaded = {};  ///< its code is gone, at last if it was
                                                        ///< pinned
    std::function<void(const Leaving&)> pinned = {};    ///< closed, but still mapped; told once
  };

  struct Counts {
    std::size_t held = 0;
    std::size_t queued = 0;  ///< to be closed, or just being closed
    std::size_t pinned = 0;
  };

  using Holding = std::shared_ptr<const Library>;
  using Open = std::function<std::expected<std::unique_ptr<Library>, PluginError>()>;

  static LibraryReaper& of_process();

  /// The library of these bytes; `open` loads it when it is not there, while no other is loaded or
  /// closed. Of the threads that ask at once one opens. Errors: those of `open`.
  ///
  /// Cost: a lock and a look into a table when it is there; it waits for no load then.
  std::expected<Holding, PluginError> hold(const std::string& sha256, const Open& open);

  /// As long as what it returns lives. It must not be dropped inside of a call.
  [[nodiscard]] std::shared_ptr<const void> observe(Observer observer);

  Counts counts() const;

  /// Whether a library of these bytes is held, queued or pinned, or observers were not yet told
  /// that it left.
  bool knows(const std::string& sha256) const;

  /// Waits until nothing is queued and all observers were told; false when the deadline came first.
  /// For tests, and for whoever must know.
  bool wait_until_idle(Steady deadline) const;

 private:
  struct Entry {
    std::unique_ptr<Library> library;
    std::weak_ptr<const Library> handle;
    std::uint64_t hold = 0;  // the number of the newest
    bool queued = false;
  };
  struct Closed {
    std::unique_ptr<Library> library;
    std::string sha256;
  };
  struct Told {
    Leaving leaving;
    bool pinned;
  };

  LibraryReaper();

  Holding find(const std::string& sha256);
  Holding hold_again(const std::string& sha256, Entry& entry);
  void let_go(const std::string& sha256, std::uint64_t hold);

  void run();
  std::vector<Told> close_some();
  std::vector<Closed> take_queued();
  void note_pinned();
  void tell(const std::vector<Told>& all);

  std::atomic<bool> exiting_{false};  // set by atexit, looked at by the reaper before it closes

  std::mutex
      loading_;  // before mutex_; guards pinned_, which its own thread alone changes otherwise
  std::list<Closed> pinned_;

  mutable std::mutex mutex_;  // guards all that follows
  std::condition_variable wake_;
  mutable std::condition_variable idle_;
  std::map<std::string, Entry> entries_;  // by sha256
  std::uint64_t holds_ = 0;
  std::size_t queued_ = 0;
  std::vector<std::string> closing_;       // taken out of entries_, not all observers told
  std::vector<std::string> still_mapped_;  // pinned_, for those who must not wait for loading_

  std::mutex observers_mutex_;  // held while they are told
  std::list<Observer> observers_;
};

}  // namespace weir
