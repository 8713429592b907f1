// What a kill -9 may not cost. A short round by default; WEIR_CHAOS_KILLS and WEIR_CHAOS_RUNS make
// it longer (script/chaos), WEIR_CHAOS_SEED repeats a round as far as a race can be repeated.
#include <random>
#include <set>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include "chaos/load.hpp"
#include "chaos/serve_process.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

void sleep_ms(std::uint64_t milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

// Starts runs for the inputs, waiting until a worker has made the flow known.
std::vector<std::string> start(TestClient& client, const std::string& flow,
                               const std::vector<Json>& inputs) {
  REQUIRE(eventually([&] { return client.store().flow(flow, std::nullopt).has_value(); }));
  const auto started = client_on(client.store()).start_many(flow, inputs);
  REQUIRE_MESSAGE(started.has_value(), to_string(started.error()));
  std::vector<std::string> ids;
  for (const StartedRun& run : *started) ids.push_back(run.id);
  return ids;
}

std::uint64_t open_runs() { return std::stoull(query_value("select count(*) from weir.open_run")); }

// Not workers: a process whose lease lapsed goes on as a new one.
std::uint64_t processes_at_work() {
  return std::stoull(
      query_value("select count(distinct w.pid) from weir.journal j join weir.worker w on w.id = "
                  "j.worker_id where j.outcome = 1"));
}

}  // namespace

TEST_SUITE_BEGIN("chaos: kill -9");

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "F1: whatever moment weir serve is killed at each order is charged exactly once") {
  const std::uint64_t seed = setting("WEIR_CHAOS_SEED", std::random_device()());
  const std::uint64_t kills = setting("WEIR_CHAOS_KILLS", 3);
  const std::uint64_t runs = setting("WEIR_CHAOS_RUNS", 60);
  INFO("repeat with WEIR_CHAOS_SEED=" << seed << " WEIR_CHAOS_KILLS=" << kills
                                      << " WEIR_CHAOS_RUNS=" << runs);
  std::mt19937_64 random(seed);

  const TemporaryFolder folder;
  const std::filesystem::path ledger = folder.path() / "ledger";
  write_serve_config(folder.path(), {.database = database(), .lease = std::chrono::seconds(1)});
  TestClient client;
  ServeProcess serve(folder.path());
  std::uint64_t order = 0;
  // Orders come in between the kills, so that each kill meets work.
  for (std::uint64_t round = 0; round <= kills; ++round) {
    std::vector<Json> inputs;
    for (; order < runs * (round + 1) / (kills + 1); ++order)
      inputs.push_back(
          Json::trusted(fmt::format(R"({{"order_id": {}, "amount": {}.25, "ledger": "{}"}})",
                                    order + 1, order, ledger.string())));
    start(client, "process_order", inputs);
    if (round == kills) break;
    sleep_ms(random() % 120);
    serve.kill_now();
    serve = ServeProcess(folder.path());
  }
  REQUIRE(eventually([] { return open_runs() == 0; }));
  CHECK(query_value("select count(*) from weir.runs where status = 'completed'") ==
        std::to_string(runs));
  CHECK(query_value("select coalesce(string_agg(error, ' '), '') from weir.runs") == "");
  CHECK(query_value("select count(*) from weir.journal where outcome = 1") ==
        std::to_string(3 * runs));
  std::size_t entries = 0;
  for (const auto& file : std::filesystem::directory_iterator(ledger))
    if (file.path().extension() == ".json") ++entries;
  CHECK(entries == runs);
  CHECK(WEXITSTATUS(serve.terminate()) == 0);
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L3: two servers share the runs and one of them killed loses none") {
  const std::uint64_t runs = setting("WEIR_CHAOS_SHARED_RUNS", 200);
  const TemporaryFolder folder;
  write_serve_config(folder.path(), {.database = database(), .lease = std::chrono::seconds(1)});
  TestClient client;
  ServeProcess first(folder.path());
  ServeProcess second(folder.path());
  REQUIRE(eventually([&] { return client.store().workers_alive() == 2; }));
  start(client, "process_order", [&] {
    std::vector<Json> inputs;
    for (std::uint64_t order = 1; order <= runs; ++order)
      inputs.push_back(
          Json::trusted(fmt::format(R"({{"order_id": {}, "amount": 1.5, "ledger": "{}"}})", order,
                                    (folder.path() / "ledger").string())));
    return inputs;
  }());
  REQUIRE(eventually([] { return processes_at_work() == 2; }));  // both have their share
  first.kill_now();
  REQUIRE(eventually([] { return open_runs() == 0; }));
  CHECK(query_value("select count(*) from weir.runs where status = 'completed'") ==
        std::to_string(runs));
  CHECK(query_value("select count(*) from weir.journal where outcome = 1") ==
        std::to_string(3 * runs));
  CHECK(WEXITSTATUS(second.terminate()) == 0);
}

TEST_SUITE_END();
