/// Threads: every member, and the steps it makes, from any thread, several at once.
#pragma once
#include <atomic>
#include <expected>
#include <memory>
#include <vector>

#include "base/log.hpp"
#include "isolated/isolated_child.hpp"
#include "isolated/keeper.hpp"
#include "plugin/plugin_host.hpp"
#include "plugin/quarantine.hpp"

namespace weir {

/// Plugins in processes of their own, a set of them for each version: what their code breaks is a
/// process that runs one call. It contains crashes, hangs and leaks; it is no sandbox against
/// malice (docs/isolation.md).
///
/// The steps of its modules are this host's: each `run` hands its call to a process and tells the
/// worker, through the plugin ABI, what came of it there. So an isolated attempt ends as the same
/// one in process would, and besides:
/// - worker_crashed: the step ended its process; failed, tried again as the step's options say.
/// - worker_timeout: told to stop, it did not within stop_grace; its process was killed.
/// - no_process: none could be started.
class IsolatedHost final : public PluginHost {
 public:
  /// `quarantine`, when there is one, counts crashes by sha256.
  IsolatedHost(IsolatedOptions options, std::shared_ptr<Quarantine> quarantine,
               std::shared_ptr<Log> log);

  /// Starts the first process and loads the plugin there. Errors: as InProcessHost; load_failed
  /// also when loading ends the process or takes longer than start_patience. With the last of the
  /// modules the processes end, within `farewell`; this host's destructor waits for them when no
  /// module is left.
  std::expected<std::vector<FlowModule>, PluginError> open(const PluginInspection& plugin,
                                                           const StagedCopy& staged) override;

  bool isolated() const noexcept override { return true; }

 private:
  const IsolatedOptions options_;
  const std::shared_ptr<Quarantine> quarantine_;
  const std::shared_ptr<Log> log_;
  const std::shared_ptr<Keeper> keeper_;
  std::atomic<bool> told_unfiltered_ = false;  // pairs with itself: no data goes with it
};

}  // namespace weir
