// A schedule each second over three servers, of which one is killed. A short round by default;
// WEIR_SCHEDULE_SECONDS makes it longer (script/chaos).
#include <chrono>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "chaos/load.hpp"
#include "chaos/three_servers.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// Until so many ticks are over: by the database's clock, which is theirs.
void await_ticks(std::uint64_t count) {
  const std::string counted = fmt::format(
      "select count(*) >= {} from weir.run where idempotency_key like 'schedule %'", count);
  REQUIRE(eventually(
      [&] {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(100));  // a session each: not a thousand a second
        return query_value(counted) == "t";
      },
      std::chrono::seconds(30 + 2 * count)));
}

}  // namespace

TEST_SUITE_BEGIN("chaos: schedules");

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "C5: each second's tick is exactly one run while one of three servers is killed") {
  const std::uint64_t seconds = setting("WEIR_SCHEDULE_SECONDS", 8);
  ThreeServers servers({.database = database(),
                        .plugins = std::filesystem::path(PACED_1).parent_path(),
                        .lease = std::chrono::seconds(1)},
                       "paced");

  query_value(
      "select weir.schedule('often', 'paced', '@every 1s', '{\"milliseconds\": 20}')::text");
  await_ticks(seconds / 2);
  servers.kill_now(0);
  await_ticks(seconds);
  query_value("select weir.unschedule('often')::text");
  REQUIRE(eventually([] { return query_value("select count(*) from weir.open_run") == "0"; }));

  const std::string ticks =
      "from (select substring(idempotency_key from '[^ ]+$')::timestamptz as tick, status, "
      "created_at from weir.run) as t";
  CHECK(query_value("select count(*) - count(distinct tick) " + ticks) == "0");
  CHECK(query_value("select extract(epoch from max(tick) - min(tick))::bigint + 1 - count(*) " +
                    ticks) == "0");
  CHECK(query_value("select count(*) " + ticks + " where status <> 1") == "0");
  CHECK(query_value("select count(*) " + ticks + " where created_at < tick") == "0");
  MESSAGE(fmt::format(
      "{} ticks, the latest started {} s late, {} s in the middle",
      query_value("select count(*) " + ticks),
      query_value("select max(extract(epoch from created_at - tick))::numeric(10, 3) " + ticks),
      query_value("select percentile_cont(0.5) within group (order by extract(epoch from "
                  "created_at - tick))::numeric(10, 3) " +
                  ticks)));
  servers.terminate();
}

TEST_SUITE_END();
