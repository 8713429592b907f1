#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "registry/flow_registry.hpp"
#include "store/postgres/session.hpp"
#include "store/worker_store.hpp"
#include "worker/worker.hpp"

namespace weir::bench {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began);

/// A step whose code is `handler`.
weir_step step_of(decltype(weir_step::run) handler);

/// The flow of a draft, all of whose steps have the code of `step`, which must outlive it.
FlowModule flow_of(const FlowDraft& draft, const weir_step& step);

/// A session to a database that holds the schema, as new, and no more.
std::unique_ptr<postgres::Session> emptied(const std::string& url);

/// Workers of one flow, each on a thread and a connection of its own, that say nothing; drain when
/// they go.
class Serving {
 public:
  Serving(const std::string& url, FlowModule flow, std::size_t slots, std::size_t workers = 1);
  Serving(std::unique_ptr<WorkerStore> store, FlowModule flow, std::size_t slots);
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving();

  /// Makes the flow known, without any work on it.
  void register_flow();

  /// Starts to work.
  void begin();

 private:
  struct Each {
    std::unique_ptr<WorkerStore> store;
    std::unique_ptr<Worker> worker;
    std::thread thread;
  };
  void add(std::unique_ptr<WorkerStore> store, std::size_t slots);

  FlowRegistry registry_;
  std::vector<Each> workers_;
};

}  // namespace weir::bench
