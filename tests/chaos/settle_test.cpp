// A step that settles in its own transaction, killed anywhere. WEIR_SETTLED_RUNS makes the round
// longer (script/chaos).
#include <random>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <pqxx/pqxx>
#include <sys/wait.h>

#include "chaos/load.hpp"
#include "chaos/serve_process.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

TEST_SUITE_BEGIN("chaos: settling in a handler's transaction");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "C9: whatever moment weir serve is killed at each run has exactly one row") {
  const std::uint64_t seed = setting("WEIR_CHAOS_SEED", std::random_device()());
  const std::uint64_t runs = setting("WEIR_SETTLED_RUNS", 60);
  const std::uint64_t kills = 2 + runs / 100;
  INFO("repeat with WEIR_CHAOS_SEED=" << seed << " WEIR_SETTLED_RUNS=" << runs);
  std::mt19937_64 random(seed);
  {
    pqxx::connection connection(database());
    pqxx::work work(connection);
    work.exec(
        "drop table if exists public.payment; create table public.payment (run_id uuid not null)");
    work.commit();
  }
  const TemporaryFolder folder;
  write_serve_config(folder.path(), {.database = database(),
                                     .plugins = std::filesystem::path(PAYING).parent_path(),
                                     .lease = std::chrono::seconds(1)});
  TestClient client;
  ServeProcess serve(folder.path());
  REQUIRE(eventually([&] { return client.store().flow("paying", std::nullopt).has_value(); }));
  const Json input = Json::object(
      std::vector<std::pair<std::string, Json>>{{"database", Json::string(database())}});
  std::uint64_t started = 0;
  // Runs come in between the kills, so that each kill meets work.
  for (std::uint64_t round = 0; round <= kills; ++round) {
    const std::uint64_t upto = runs * (round + 1) / (kills + 1);
    const std::vector<Json> inputs(upto - started, input);
    started = upto;
    REQUIRE(client_on(client.store()).start_many("paying", inputs).has_value());
    if (round == kills) break;
    REQUIRE(eventually([&] { return client.store().workers_alive().value_or(0) > 0; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));
    serve.kill_now();
    serve = ServeProcess(folder.path());
  }
  REQUIRE(eventually([] { return query_value("select count(*) from weir.open_run") == "0"; },
                     std::chrono::seconds(120)));
  CHECK(query_value("select count(*) from weir.runs where status = 'completed'") ==
        std::to_string(runs));
  CHECK(query_value("select count(*) || ' ' || count(distinct run_id) from public.payment") ==
        fmt::format("{0} {0}", runs));
  CHECK(query_value("select count(*) from weir.attempts where step = 'pay' and outcome = "
                    "'completed'") == std::to_string(runs));
  MESSAGE(fmt::format("{} runs, {} kills, {} attempts lost", runs, kills,
                      query_value("select count(*) from weir.attempts where outcome = 'lost'")));
  CHECK(WEXITSTATUS(serve.terminate()) == 0);
}

TEST_SUITE_END();
