/// Threads: every member, and the steps it makes, may be called from any thread, also concurrently.
#pragma once
#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "isolated/child_reader.hpp"
#include "isolated/child_reaper.hpp"
#include "isolated/isolated_child.hpp"
#include "plugin/plugin_host.hpp"

namespace weir {

/// Runs plugins in processes of their own, a set of processes for each version, so that a fault of
/// their code affects only a process that runs one call, and those that are pending in it. This
/// contains crashes, hangs and leaks; it is not a sandbox against malicious code (docs/isolation.md).
///
/// The steps of its modules belong to this host: each `run` passes its call to a process, and the
/// result from there to the worker, through the plugin ABI. So an isolated attempt has the same
/// outcomes as an attempt in process, and these:
/// - worker_crashed: the step ended its process; it failed, and is retried as its options say.
/// - worker_timeout: the step did not stop within stop_grace; its process was killed.
/// - no_process: no process could be started.
///
/// A call that its step has deferred is deferred here too, through the same plugin ABI; where that
/// cannot be, `run` waits for its result. What is pending in a process that ends for another reason is
/// given back (weir::give_back), or begins again where `run` waits.
class IsolatedHost final : public PluginHost {
 public:
  /// Called for each crash with the plugin's sha256, on the thread that noticed it; may be empty.
  using OnCrash = std::function<void(const std::string& sha256)>;

  IsolatedHost(IsolatedOptions options, OnCrash on_crash, std::shared_ptr<Log> log);
  ~IsolatedHost() override;

  /// Starts the first process and loads the plugin in it. Errors: as InProcessHost; load_failed
  /// also when loading ends the process or takes longer than start_patience. The processes end when
  /// the last of the modules is destroyed, within `end_patience`; this host's destructor waits for
  /// them if no module is left.
  std::expected<std::vector<FlowModule>, PluginError> open(const PluginInspection& plugin,
                                                           const StagedCopy& staged) override;

  bool isolated() const noexcept override { return true; }

 private:
  const IsolatedOptions options_;
  const OnCrash on_crash_;
  const std::shared_ptr<Log> log_;
  const std::shared_ptr<ChildReaper> reaper_;
  const std::shared_ptr<ChildReader> reader_;
  std::atomic<bool> warned_unfiltered_ = false;  // pairs with itself: it publishes no other data
};

}  // namespace weir
