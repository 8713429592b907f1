#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/run_store.hpp"

namespace weir {

/// The use cases that command line and HTTP share. Stands on a store somebody else owns.
/// [one thread at a time]
class Client {
 public:
  explicit Client(RunStore& store) : store_(store) {}

  /// Starts one run of `flow` for each input, after holding each against the flow's input schema
  /// (S3). Errors: as RunStore::start; invalid_input with the JSON pointer.
  Result<std::vector<StartedRun>> start(const std::string& flow, const std::vector<Json>& inputs,
                                        const StartOptions& options = {});

  /// What a watcher is told: cheap, without inputs and outputs.
  using Watcher = std::function<void(const RunReport&)>;

  /// Returns the run once it is over, telling `watcher` of every look in between (at first every 20
  /// ms, then every 250 ms). `patience` of zero waits for ever. Errors: not_found; unavailable when
  /// the database stays away for 10 s, or patience ran out (kind "still_running").
  Result<RunReport> wait(const std::string& id, const Watcher& watcher,
                         std::chrono::milliseconds patience = {});

 private:
  RunStore& store_;
};

/// Whether a run of this status is over.
bool is_over(const std::string& status) noexcept;

}  // namespace weir
