/// Threads: every member may be called from any thread; a lease belongs to the thread that took it.
///
/// Invariants: a child is either idle here or leased; there are at most `processes` of them,
/// including those that are being started. The one returned most recently is leased first. Calls may
/// be pending in an idle child: then its reader watches it.
#pragma once
#include <chrono>
#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "isolated/child_reader.hpp"
#include "isolated/child_reaper.hpp"
#include "isolated/isolated_child.hpp"

namespace weir {

/// The processes of one version of a plugin. They are started as needed, and ended when idle.
class ChildSet {
 public:
  ChildSet(std::shared_ptr<ChildReaper> reaper, std::shared_ptr<ChildReader> reader,
           IsolatedOptions options, PluginInspection plugin, StagedCopy staged);
  ChildSet(const ChildSet&) = delete;
  ChildSet& operator=(const ChildSet&) = delete;

  /// Ends all of them. None may be leased any more.
  ~ChildSet();

  /// A child for one call: an idle one, or a new one, or the first that is returned. Waits for that
  /// until `cancelled`, which is called every 20 ms, returns true; then null. Errors: those of
  /// IsolatedChild::start.
  std::expected<std::unique_ptr<IsolatedChild>, PluginError> lease(
      const std::function<bool()>& cancelled);

  /// Leases the idle child with this number, for a moment, so that what it says is read: a lease()
  /// waits for it rather than start another. Null when it is not idle.  [the reader's thread]
  std::unique_ptr<IsolatedChild> take(std::uint64_t id);

  /// Returns a leased child that can run more calls. `plugin` is told when it says something of calls
  /// that are pending in it.
  void return_child(std::unique_ptr<IsolatedChild> child,
                    const std::weak_ptr<ChildReader::Plugin>& plugin);

  /// To be called in place of return_child() when the child with this number died.
  void discard_child(std::uint64_t id);

  /// Removes and returns the children that were idle for too long, with no call pending; one child
  /// always stays.
  std::vector<std::unique_ptr<IsolatedChild>> take_idle(std::chrono::steady_clock::time_point now);

  /// How many children there are.
  std::size_t count() const;

  const PluginInspection& plugin() const noexcept { return plugin_; }

 private:
  struct Idle {
    std::unique_ptr<IsolatedChild> child;
    std::chrono::steady_clock::time_point since;
  };

  void discard_started();

  const std::shared_ptr<ChildReaper> reaper_;
  const std::shared_ptr<ChildReader> reader_;
  const IsolatedOptions options_;
  const PluginInspection plugin_;
  const StagedCopy staged_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable available_;
  std::vector<Idle> idle_;  // the longest idle first
  std::size_t count_ = 0;
  std::uint64_t reading_ = 0;  // what take() has returned; 0: none
};

}  // namespace weir
