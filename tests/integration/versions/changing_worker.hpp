#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "integration/worker/worker_rig.hpp"
#include "plugin/quarantine.hpp"
#include "step/step_resources.hpp"
#include "worker/flow_workers.hpp"

namespace weir::testing {

/// Versions of one flow: the same step, another number of attempts.
TestFlow version(std::int64_t attempts, TestHandler handler);

/// The module of a flow as if it came from a plugin file of its own.
FlowModule from_file(const TestFlow& flow, char digit, std::shared_ptr<const void> code = {});

/// A worker on a thread of its own whose flows come and go; stops when it goes.
class ChangingWorker {
 public:
  explicit ChangingWorker(WorkerOptions options = RunningWorker::quick());
  ~ChangingWorker();

  /// Each notifies the worker.
  void publish(FlowModule module);  ///< the version before stays as a former one
  void replace(FlowModule module);
  void unregister(const TestFlow& flow);

  /// Waits until the database knows that a worker can run so many versions of the flow.
  void wait_for_versions(const std::string& slug, int count);

  FlowRegistry& registry() { return registry_; }
  FlowWorkers& flow_workers() { return *flow_workers_; }
  const std::shared_ptr<FlowWorkers>& shared_flow_workers() { return flow_workers_; }

 private:
  void commit(FlowRegistry::Transaction& transaction);

  FlowRegistry registry_;
  std::shared_ptr<FlowWorkers> flow_workers_ = std::make_shared<FlowWorkers>();
  std::unique_ptr<WorkerStore> store_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

/// A handler that holds its step until it may go on.
class Gate {
 public:
  TestHandler handler(std::string output) {
    return [this, output = std::move(output)](TestCall& call) {
      ++begun;
      while (!open && !call.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return call.output(output);
    };
  }
  std::atomic<int> begun = 0;
  std::atomic<bool> open = false;
};

}  // namespace weir::testing
