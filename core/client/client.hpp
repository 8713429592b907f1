#pragma once
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "client/run_ends.hpp"
#include "store/run_store.hpp"

namespace weir {

/// The use cases that command line and HTTP share. Stands on a store somebody else owns, and which
/// nobody else uses while a thread waits here.
///
/// Any number of threads may wait on one client: one session asks the database for all of them.
/// [any thread]
class Client {
 public:
  explicit Client(RunStore& store);

  /// Starts one run of `flow` for each input, after holding each against the flow's input schema
  /// (S3). Errors: as RunStore::start; invalid_input with the JSON pointer.
  Result<std::vector<StartedRun>> start(const std::string& flow, const std::vector<Json>& inputs,
                                        const StartOptions& options = {});

  /// What a watcher is told: cheap, without inputs and outputs.
  using Watcher = std::function<void(const RunReport&)>;

  /// Returns the run once it is over. Tells `watcher`, if there is one, of every look in between
  /// (at first every 20 ms, then every 250 ms), on this thread. `patience` of zero waits for ever.
  /// Errors: not_found; unavailable when the database stays away for 10 s, or patience ran out
  /// (kind "still_running").
  Result<RunReport> wait(const std::string& id, const Watcher& watcher,
                         std::chrono::milliseconds patience = {});

  /// Workers whose lease stands. Errors: unavailable.
  Result<std::int64_t> workers_alive();

 private:
  Result<RunReport> report(const std::string& id, bool with_values);

  RunStore& store_;
  std::mutex store_mutex_;  // it is for one thread at a time
  RunEnds<> ends_;
};

}  // namespace weir
