// Crashes that the crashed process could not record: nothing names the step that caused them.
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <signal.h>

#include "integration/blame/crashing_shop.hpp"

using weir::testing::CrashingShop;
using weir::testing::eventually;
using weir::testing::Running;

namespace {

constexpr std::chrono::seconds patience{120};

// Eight slots; no restart is allowed for crashes that count against the supervisor.
CrashingShop shop() {
  return CrashingShop(", max_crashes: 100", "supervisor: {max_restarts: 0}\n");
}

void start(const CrashingShop& crashing, const std::string& kind, int count) {
  crashing.value(fmt::format(
      "select count(*) from weir.start_many('crashes', array_fill('\"{}\"'::jsonb, array[{}]))",
      kind, count));
}

std::string count_of(const CrashingShop& crashing, const std::string& condition) {
  return crashing.value("select count(*) from weir.runs where " + condition);
}

bool run_all(const CrashingShop& crashing) {
  return eventually([&] { return count_of(crashing, "ended_at is null") == "0"; }, patience);
}

// Starts seven long runs and, once they all run, one of the kind that crashes and many quick ones.
void crash_among_innocents(const CrashingShop& crashing, const std::string& kind) {
  start(crashing, "long", 7);
  REQUIRE(eventually([&] {
    return crashing.value("select count(*) from weir.attempts where outcome = 'running'") == "7";
  }));
  start(crashing, kind, 1);
  start(crashing, "well", 300);
  REQUIRE(run_all(crashing));
}

}  // namespace

TEST_SUITE_BEGIN("serve: suspects");

TEST_CASE("F10: a step that is killed is found among others and charged alone") {
  for (const std::string kind : {"kill", "raw exit"}) {
    CAPTURE(kind);
    const CrashingShop crashing = shop();
    const Running serve = crashing.serve();
    REQUIRE(crashing.is_serving());
    crash_among_innocents(crashing, kind);
    CHECK(count_of(crashing, "status = 'completed'") == "307");
    CHECK(count_of(crashing, "status = 'failed' and input = '\"" + kind + "\"'") == "1");
    CHECK(crashing.value("select count(*) from weir.journal where outcome <> 1") == "2");
    CHECK(crashing.value("select count(*) from weir.journal where error_code = 'worker_crashed'") ==
          "2");
    const std::string error =
        crashing.value("select error from weir.journal where outcome <> 1 limit 1");
    CHECK(error.contains("step crashes.act"));
    CHECK(error.contains(kind == "kill" ? "SIGKILL" : "exit status 3"));
    CHECK(crashing.logs("nobody is to blame"));
    CHECK(crashing.shop.run({"start", "crashes", "--input", "\"well\"", "--wait"}).code == 0);
    // Each of its two attempts: the first crash, and at most log2(8) that narrow it down.
    CHECK(std::stoi(crashing.value(
              "select count(*) from weir.worker where end_reason = 'crashed'")) <= 8);
  }
}

TEST_CASE("F10: what crashes only beside others is charged to nobody") {
  const CrashingShop crashing = shop();
  const Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  start(crashing, "together", 2);
  start(crashing, "long", 4);
  REQUIRE(run_all(crashing));
  CHECK(count_of(crashing, "status = 'completed'") == "6");
  CHECK(crashing.value("select count(*) from weir.journal where outcome <> 1") == "0");
}

TEST_SUITE_END();
