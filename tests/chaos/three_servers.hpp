#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "chaos/serve_process.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/temporary_folder.hpp"

namespace weir::testing {

/// Three `weir serve` of one flows.yaml that share this process's database. Those that still run
/// are killed when the object goes.
class ThreeServers {
 public:
  /// Starts them, and returns once three workers are alive and the flow is known.
  ThreeServers(const ServeConfig& config, const std::string& flow);

  /// Ends one by SIGTERM, checks that it drained, and starts it again; returns once three workers
  /// are alive.
  void restart(std::size_t which);

  /// SIGKILL for one of them, and waits until it is gone.
  void kill_now(std::size_t which) { servers_[which].reset(); }

  /// Ends by SIGTERM whatever still runs, and checks that each drained.
  void terminate();

  std::size_t size() const noexcept { return servers_.size(); }

 private:
  void await_workers();

  TemporaryFolder folder_;
  TestClient client_;
  std::array<std::optional<ServeProcess>, 3> servers_;
};

}  // namespace weir::testing
