#pragma once
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/json.hpp"
#include "client/client.hpp"
#include "integration/worker/test_flow.hpp"
#include "registry/flow_registry.hpp"
#include "store/postgres/session.hpp"
#include "store/run_store.hpp"
#include "store/worker_store.hpp"
#include "support/eventually.hpp"
#include "worker/worker.hpp"

namespace weir::testing {

/// For TEST_CASE_FIXTURE: this process's database with nothing in it but the schema.
struct EmptyDatabase {
  EmptyDatabase();
};

/// A worker on a thread of its own, with its own session; drains when it goes.
class RunningWorker {
 public:
  /// Without a log it prints its lines where WEIR_TEST_LOG is set.
  RunningWorker(const std::vector<const TestFlow*>& flows, WorkerOptions options = quick(),
                std::shared_ptr<Log> log = {});
  ~RunningWorker();

  /// Four slots, and a lease that outlasts a machine that stands still: a test ends it by hand.
  static WorkerOptions quick();

  void drain() { worker_->drain(); }
  void stop_now() { worker_->stop_now(); }
  /// Waits for run() to return.
  Result<Worker::Ended> join();

 private:
  FlowRegistry registry_;
  std::unique_ptr<WorkerStore> store_;
  std::unique_ptr<Worker> worker_;
  std::optional<Result<Worker::Ended>> ended_;
  std::thread thread_;
};

/// Starts runs and reads their reports.
class TestClient {
 public:
  TestClient();
  /// Starts a run and waits for its end, at most 30 s.
  RunReport run(const std::string& flow, const std::string& input);
  std::string start(const std::string& flow, const std::string& input,
                    const StartOptions& options = {});
  RunReport wait(const std::string& id);
  RunStore& store() { return *store_; }

 private:
  std::unique_ptr<RunStore> store_;
};

/// The step of that name. Fails the test when there is none.
const StepReport& step_of(const RunReport& report, const std::string& slug);

/// The database is away while this lives: nobody can connect, and who was connected is cut off.
class DatabaseAway {
 public:
  DatabaseAway();
  ~DatabaseAway();

 private:
  void allow_connections(bool allow);
  std::string name_;
  std::unique_ptr<postgres::Session> session_;
};

/// The one value a query gives, as text; "" for null.
std::string query_value(const std::string& sql);
/// The leases of all workers are over, and somebody sweeps before one of them notices. Returns how many
/// were declared dead.
std::string sweep_all_workers();

}  // namespace weir::testing
