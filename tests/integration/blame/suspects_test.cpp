// Crashes that the crashed process could not record: nothing names the step that caused them.
#include <string>
#include <utility>
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

// Starts long runs, and waits until their steps have begun.
void begin_long(const CrashingShop& crashing, std::size_t count) {
  start(crashing, "long", static_cast<int>(count));
  REQUIRE(eventually([&] {
    std::size_t begun = 0;
    const std::string log = crashing.log();
    for (auto at = log.find("a long step begins"); at != std::string::npos;
         at = log.find("a long step begins", at + 1))
      ++begun;
    return begun == count;
  }));
}

// Starts seven long runs and, once they all run, one of the kind that crashes and many quick ones.
void crash_among_innocents(const CrashingShop& crashing, const std::string& kind) {
  begin_long(crashing, 7);
  start(crashing, kind, 1);
  start(crashing, "well", 300);
  REQUIRE(run_all(crashing));
}

}  // namespace

TEST_SUITE_BEGIN("serve: suspects");

TEST_CASE("F10: a step that is killed is found among others and charged alone") {
  for (const auto& [kind, end] : {std::pair<std::string, std::string>("kill", "SIGKILL"),
                                  {"raw exit", "exit status 3"},
                                  {"thread stack", "SIGSEGV"}}) {
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
    CHECK(error.contains(end));
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

TEST_CASE("F10: two steps that are killed are both found and nobody beside them is charged") {
  const CrashingShop crashing = shop();
  const Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  start(crashing, "long", 6);
  start(crashing, "kill", 2);
  REQUIRE(run_all(crashing));
  CHECK(count_of(crashing, "status = 'completed' and input = '\"long\"'") == "6");
  CHECK(count_of(crashing, "status = 'failed' and input = '\"kill\"'") == "2");
  CHECK(crashing.value("select count(*) from weir.journal where outcome <> 1") == "4");
}

TEST_CASE("F10: a plugin whose steps are killed too often waits in quarantine") {
  const CrashingShop crashing(", max_crashes: 1, quarantine: 1h",
                              "supervisor: {max_restarts: 0}\n");
  const Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  start(crashing, "kill", 1);
  REQUIRE(crashing.logs("crashed too often: quarantined for 3600 s, its runs wait"));
  REQUIRE(eventually([&] {
    return crashing.value(
               "select max(c.count) from (select count(*) filter (where not s.barred) from "
               "weir.serving s join weir.worker w on w.id = s.worker_id where w.ended_at is null "
               "group by w.id) as c") == "1";
  }));
  start(crashing, "well", 1);
  CHECK(crashing.shop.run(crashing.shop.order(1, {"--wait"})).code == 0);
  CHECK(count_of(crashing, "ended_at is null and input = '\"well\"'") == "1");
}

TEST_CASE("L5: serve stops while a trial is held and charges nobody") {
  const CrashingShop crashing = shop();
  Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  begin_long(crashing, 3);
  ::kill(std::stoi(crashing.value("select max(pid) from weir.worker where ended_at is null")),
         SIGKILL);
  REQUIRE(crashing.logs("runs 3 suspects again, in halves"));
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
  CHECK(crashing.value("select count(*) from weir.journal where outcome <> 1") == "0");
  CHECK(crashing.value("select count(*) from weir.open_run where worker_id is not null") == "0");
}

TEST_SUITE_END();
