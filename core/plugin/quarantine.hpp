/// Threads: every member from any thread.
///
/// Invariants: a plugin is barred exactly while its `until` is after `now`; from being loaded too, if
/// its last quarantine is for a crash while it was loaded. Each quarantine of a plugin is twice as long
/// as its last, up to `longest`, and as long as the first again after the plugin ran for `longest`
/// without a crash.
#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "base/time.hpp"
#include "definition/default_settings.hpp"

namespace weir {

/// Plugins, by sha256, that crashed too often, or once while they were loaded, and are barred for a
/// while: their runs wait, everything else goes on (F1). Times are of the steady clock, given by the caller.
class Quarantine {
 public:
  struct Limit {
    /// Tolerated within `window`; the next one bars.
    std::size_t max_crashes = default_settings::max_crashes;
    std::chrono::milliseconds window = default_settings::crash_window;
    std::chrono::milliseconds first = default_settings::quarantine;
    std::chrono::milliseconds longest{3'600'000};
  };

  /// The state of one plugin, to be passed to another process.
  struct Record {
    std::string sha256;
    std::vector<Steady> crashes;  ///< those that still count
    std::optional<Steady> until;  ///< the end of the last quarantine
    std::chrono::milliseconds last{0};
    std::string load_crash = {};  ///< how it crashed while it was loaded; empty: in steps
  };

  /// Why a plugin must not be loaded, and until when.
  struct LoadBar {
    std::string crash;
    Steady until;
  };

  explicit Quarantine(Limit limit) : limit_(limit) {}

  /// Counts a crash. Returns until when the plugin is barred, if this crash bars it.
  std::optional<Steady> crashed(const std::string& sha256, Steady now);

  /// Bars a plugin that ended its process while it was loaded, in the way that `crash` says: until
  /// when. One such crash is enough, because meanwhile nothing else is served.
  Steady crashed_loading(const std::string& sha256, std::string crash, Steady now);

  /// Set while the plugin must not be loaded.
  std::optional<LoadBar> barred_loading(const std::string& sha256, Steady now) const;

  /// Until when the plugin is barred; nullopt when it is not.
  std::optional<Steady> barred(const std::string& sha256, Steady now) const;

  /// The next moment at which a plugin ceases to be barred.
  std::optional<Steady> next_release(Steady now) const;

  std::vector<Record> records() const;
  void restore(std::vector<Record> records);

  /// Called after each crash that bars a plugin, without any lock held, on the thread that called
  /// crashed(). Set once, before other threads use this.
  void on_change(std::function<void()> callback) {
    WEIR_ASSERT(!on_change_);
    on_change_ = std::move(callback);
  }

 private:
  struct Entry {
    std::deque<Steady> crashes;
    std::optional<Steady> until;
    std::chrono::milliseconds last{0};
    std::string load_crash;
  };

  Entry& entry_of(const std::string& sha256, Steady now);
  Steady bar(Entry& entry, Steady now) const;

  const Limit limit_;
  std::function<void()> on_change_;
  mutable std::mutex mutex_;  // guards entries_
  std::map<std::string, Entry> entries_;
};

}  // namespace weir
