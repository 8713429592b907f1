#include "cli/views/worker_view.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "unit/cli/now.hpp"

using namespace weir;
using namespace weir::cli;
using namespace std::chrono_literals;
using weir::testing::noon;

TEST_SUITE_BEGIN("cli: workers");

TEST_CASE("L1: workers are listed with how they ended and one nobody has swept yet as lapsed") {
  const WorkerReport alive{.id = 12,
                           .host = "db.example.org",
                           .pid = 4711,
                           .slots = 8,
                           .in_flight = 3,
                           .runs = 5,
                           .alive = true,
                           .started_at = noon - 2h,
                           .lease_until = noon + 10s};
  WorkerReport lapsed = alive;
  lapsed.id = 11;
  lapsed.alive = false;
  lapsed.lease_until = noon - 5min;
  WorkerReport left = lapsed;
  left.id = 3;
  left.ended_at = noon - 25h;
  left.end_reason = "left";
  const std::vector<WorkerReport> all = {alive, lapsed, left};
  CHECK(workers_text(all, noon, {}) ==
        "WORKER  HOST             PID  STATE   SINCE   RUNS  BUSY\n"
        "    12  db.example.org  4711  alive   2h ago     5   3/8\n"
        "    11  db.example.org  4711  lapsed  5m ago\n"
        "     3  db.example.org  4711  left    1d ago\n");
  CHECK(worker_json(left).text().starts_with(
      R"({"worker_id":3,"host":"db.example.org","pid":4711,"state":"left","slots":8,)"));
}

TEST_SUITE_END();
