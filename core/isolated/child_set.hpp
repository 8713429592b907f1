/// Threads: every member from any thread; a lease belongs to the thread that took it.
///
/// Invariants: a child is idle here or leased, never both; at most `processes` of them are there,
/// those that are being started included. The last that was given back is leased first.
#pragma once
#include <chrono>
#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "isolated/isolated_child.hpp"
#include "isolated/keeper.hpp"

namespace weir {

/// The processes of one version of a plugin: started when there is more to do, ended when there is
/// not.
class ChildSet {
 public:
  ChildSet(std::shared_ptr<Keeper> keeper, IsolatedOptions options, PluginInspection plugin,
           StagedCopy staged);
  ChildSet(const ChildSet&) = delete;
  ChildSet& operator=(const ChildSet&) = delete;

  /// Ends all of them. None is leased any more.
  ~ChildSet();

  /// A child for one call: an idle one, or a new one, or the first that is given back, waited for
  /// as long as `cancelled` (asked every 20 ms) says no; null then. Errors: IsolatedChild::start.
  std::expected<std::unique_ptr<IsolatedChild>, PluginError> lease(
      const std::function<bool()>& cancelled);

  /// Of a child that can run more calls.
  void give_back(std::unique_ptr<IsolatedChild> child);

  /// Instead of giving back one that died.
  void lost();

  /// Those that had nothing to do for too long: all but one.
  std::vector<std::unique_ptr<IsolatedChild>> take_idle(std::chrono::steady_clock::time_point now);

  /// How many there are.
  std::size_t count() const;

  const PluginInspection& plugin() const noexcept { return plugin_; }

 private:
  struct Idle {
    std::unique_ptr<IsolatedChild> child;
    std::chrono::steady_clock::time_point since;
  };

  const std::shared_ptr<Keeper> keeper_;
  const IsolatedOptions options_;
  const PluginInspection plugin_;
  const StagedCopy staged_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable given_back_;
  std::vector<Idle> idle_;  // the longest idle first
  std::size_t count_ = 0;
};

}  // namespace weir
