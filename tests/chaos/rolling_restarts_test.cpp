// Three servers under load, restarted one after the other, again and again. A short round by
// default; WEIR_ROLLING_SECONDS makes it longer, and WEIR_ROLLING_GAP_SECONDS says how long nothing
// may begin (script/chaos): by default so long that a machine which stands still is forgiven.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include "chaos/load.hpp"
#include "chaos/three_servers.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

TEST_SUITE_BEGIN("chaos: rolling restarts");

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "L5: servers restarted one after the other under load cost no attempt and no gap") {
  const std::chrono::seconds length(setting("WEIR_ROLLING_SECONDS", 5));
  const auto gap_max_seconds = static_cast<double>(setting("WEIR_ROLLING_GAP_SECONDS", 10));
  ThreeServers servers(
      {.database = database(), .plugins = std::filesystem::path(PACED_1).parent_path()}, "paced");

  Load load("paced", Json::trusted(R"({"milliseconds": 40})"), std::chrono::milliseconds(25));
  const auto end = std::chrono::steady_clock::now() + length;
  std::size_t restarts = 0;
  for (; std::chrono::steady_clock::now() < end; ++restarts)
    servers.restart(restarts % servers.size());
  const std::string runs = std::to_string(load.stop());
  REQUIRE(eventually([] { return query_value("select count(*) from weir.open_run") == "0"; }));

  CHECK(restarts > 0);
  CHECK(query_value("select count(*) from weir.runs where status = 'completed'") == runs);
  CHECK(query_value(
            "select count(*) from weir.attempts where outcome <> 'completed' or attempt <> 1") ==
        "0");
  const std::string longest_gap = query_value(
      "select coalesce(max(gap), 0)::numeric(10, 3) from (select extract(epoch from started_at - "
      "lag(started_at) over (order by started_at)) as gap from weir.attempts) as g");
  const std::string longest_wait = query_value(
      "select max(extract(epoch from started_at - available_at))::numeric(10, 3) from weir.runs");
  MESSAGE(fmt::format("{} restarts, {} runs, longest gap {} s, longest wait of a run {} s",
                      restarts, runs, longest_gap, longest_wait));
  CHECK(std::stod(longest_gap) <= gap_max_seconds);
  CHECK(std::stod(longest_wait) <= gap_max_seconds);
  servers.terminate();
}

TEST_SUITE_END();
