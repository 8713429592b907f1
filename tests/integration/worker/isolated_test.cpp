// Steps in processes of their own that defer their calls, with a worker and a database.
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "integration/worker/worker_rig.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "support/log_lines.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"
#include "unit/isolated/plugin_rig.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

namespace {

// Two slots, and the plugin of tests/fixtures/deeds/deferring.cpp in one process.
class DeferringWorker {
 public:
  DeferringWorker() {
    IsolatedOptions options = isolated_options();
    options.processes = 1;
    rig_.emplace(deferring(), options, Quarantine::Limit{.max_crashes = 100});
    for (const FlowHandle& flow : rig_->flows()) registry_.register_or_throw(FlowModule(*flow));
    auto store = postgres::open_worker_store(database());
    REQUIRE(store.has_value());
    store_ = *std::move(store);
    WorkerOptions quick = RunningWorker::quick();
    quick.slots = 2;
    quick.overrides.emplace("deferring",
                            FlowOverrides{.all = {.max_attempts = 1, .timeout_ms = 600'000}});
    worker_ = std::make_unique<Worker>(quick, registry_, *store_, logged_.log());
    thread_ = std::thread([this] { (void)worker_->run(); });
    REQUIRE(
        eventually([this] { return client.store().flow("deferring", std::nullopt).has_value(); }));
  }
  ~DeferringWorker() { end(); }
  void drain() { worker_->drain(); }
  void end() {
    if (!thread_.joinable()) return;
    worker_->drain();
    thread_.join();
  }

  std::vector<std::string> start(const char* deed, std::size_t count) {
    std::vector<std::string> runs;
    for (std::size_t i = 0; i < count; ++i)
      runs.push_back(client.start("deferring", json_quoted(deed)));
    return runs;
  }
  std::string output(const char* deed) {
    const RunReport report = client.run("deferring", json_quoted(deed));
    return report.output ? std::string(report.output->text()) : "none";
  }
  bool holds(std::size_t count) {
    return eventually([&] { return output("held") == "{\"do\": " + std::to_string(count) + "}"; });
  }

  TestClient client;

 private:
  LogLines logged_;
  std::optional<PluginRig> rig_;
  FlowRegistry registry_;
  std::unique_ptr<WorkerStore> store_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace

TEST_SUITE_BEGIN("worker: deferred isolated steps");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F1: what is pending in a process that another call ends runs again uncharged") {
  DeferringWorker worker;
  constexpr std::size_t count = 60;
  const auto runs = worker.start("hold", count);
  REQUIRE(worker.holds(count));  // two slots
  const RunReport crashed = worker.client.run("deferring", json_quoted("crash"));
  CHECK(crashed.summary.status == "failed");
  CHECK(crashed.summary.error->contains("ended its process: signal 11 (SIGSEGV)"));
  REQUIRE(worker.holds(count));  // in the next process
  CHECK(query_value("select string_agg(outcome || ' ' || error_code, ',') from weir.attempts "
                    "where outcome not in ('completed', 'running')") == "failed worker_crashed");
  const std::string pid = worker.output("pid");  // {"do": 7}
  ::kill(std::stoi(pid.substr(pid.find(' '))), SIGKILL);
  REQUIRE(worker.holds(count));
  CHECK(worker.output("release") == "{\"do\": " + std::to_string(count) + "}");
  for (const std::string& run : runs) {
    const RunReport report = worker.client.wait(run);
    CHECK(report.summary.status == "completed");
    CHECK(step_of(report, "do").attempts == 1);
  }
}

TEST_CASE_FIXTURE(EmptyDatabase, "L5: a drain waits for pending calls of isolated steps") {
  DeferringWorker worker;
  const auto runs = worker.start("hold", 2);
  REQUIRE(worker.holds(2));
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "draining";
  CHECK(worker.output(("release_elsewhere@" + file.string()).c_str()) == "{\"do\": 1}");
  worker.drain();
  folder.write("draining", "");
  worker.end();
  for (const std::string& run : runs)
    CHECK(worker.client.wait(run).output->text() == "{\"do\": \"elsewhere\"}");
}

TEST_SUITE_END();
