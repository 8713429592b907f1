// A crash of a plugin's code costs one attempt and nothing else.
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <signal.h>

#include "integration/blame/crashing_shop.hpp"

using weir::testing::CrashingShop;
using weir::testing::eventually;
using weir::testing::Ran;
using weir::testing::Running;

TEST_SUITE_BEGIN("serve: blame");

TEST_CASE("F1: a step that segfaults is charged twice and named with signal and function") {
  const CrashingShop crashing;
  const Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  const Ran run = crashing.crash("segv");
  CHECK(run.code == 1);
  const std::string log = crashing.log();
  CHECK(log.contains("error plugin crashes 1.4.0 (sha256 "));
  CHECK(
      log.contains("): step crashes.act crashed: SIGSEGV at address 0x10 (null pointer) in "
                   "crashes::charge(crashes::Card const&)+0x"));
  CHECK(log.contains("\n      crashes.so!crashes::act(weir::Context&, "));
  CHECK(crashing.value("select count(*) from weir.journal where error_code = "
                       "'worker_crashed' and outcome = 2") == "2");
  CHECK(crashing.value("select status from weir.runs") == "failed");
}

TEST_CASE("F1: whatever a step ends its process with is its own attempt") {
  const CrashingShop crashing(", max_crashes: 100", "supervisor: {max_restarts: 0}\n");
  const Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  for (const auto& [kind, words] : {std::pair("abort", "crashed: SIGABRT"),
                                    {"stack", "crashed: SIGSEGV"},
                                    {"fpe", "crashed: SIGFPE"},
                                    {"exit", "ended the process with status 0"},
                                    {"_exit", "ended the process with status 3"}}) {
    CAPTURE(kind);
    CHECK(crashing.crash(kind).code == 1);
    CHECK(crashing.log().contains(std::string("step crashes.act ") + words));
  }
  CHECK(crashing.value("select count(*) from weir.journal where error_code = "
                       "'worker_crashed'") == "10");
}

TEST_CASE("F1: steps that ran beside a crash are not charged and all complete") {
  const CrashingShop crashing(", max_crashes: 100");
  const Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  for (int i = 0; i < 50; ++i)
    REQUIRE(crashing.shop.run({"start", "crashes", "--input", "\"slow\""}).code == 0);
  CHECK(crashing.crash("segv").code == 1);
  CHECK(eventually([&] {
    return crashing.value("select count(*) from weir.runs where status = 'completed'") == "50";
  }));
  CHECK(crashing.value("select count(*) from weir.journal where outcome <> 1") == "2");
}

TEST_CASE("F1: a plugin that keeps crashing waits in quarantine and the others go on") {
  const CrashingShop crashing(", max_crashes: 2, quarantine: 1h");
  const Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  CHECK(crashing.crash("segv").code == 1);  // both of its attempts are borne
  CHECK(crashing.shop.run({"start", "crashes", "--input", "\"segv\""}).code == 0);
  CHECK(crashing.logs("crashed too often: quarantined for 3600 s, its runs wait"));
  const Ran well = crashing.shop.run({"start", "crashes", "--input", "\"well\""});
  CHECK(well.code == 0);
  CHECK(crashing.shop.run(crashing.shop.order(1, {"--wait"})).code == 0);
  CHECK(crashing.value("select count(*) from weir.open_run") == "2");
  // L4: whoever looks is told what the runs wait for.
  const std::string in_quarantine =
      "flow crashes: 2 open runs and new ones wait for version 1, whose plugin is in quarantine";
  CHECK(eventually([&] { return crashing.shop.run({"doctor"}).out.contains(in_quarantine); }));
  CHECK(crashing.shop.run({"flows", "list"}).err.contains(in_quarantine));
  CHECK(crashing.shop.run({"flows", "show", "crashes"}).err.contains(in_quarantine));
  CHECK(crashing.shop.run({"flows", "versions", "crashes"}).err.contains(in_quarantine));
  CHECK(eventually([&] {
    return crashing.shop.run({"runs", "show", well.out.substr(0, well.out.find('\n'))})
        .out.contains("\nwaits    the plugin of flow crashes is in quarantine until ");
  }));
}

TEST_CASE("F1: a plugin that crashed isolated is in quarantine in the next worker process too") {
  const CrashingShop crashing(
      ", max_crashes: 1, quarantine: 1h, hosting: {crashes: {mode: isolated}}");
  const Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  CHECK(crashing.crash("segv").code == 1);
  CHECK(crashing.logs("crashed too often: quarantined for 3600 s, its runs wait"));
  ::kill(std::stoi(crashing.value("select max(pid) from weir.worker where ended_at is null")),
         SIGKILL);
  REQUIRE(crashing.logs("worker 2 serves 2 flows"));
  CHECK(eventually(
      [&] { return crashing.shop.run({"plugins", "list"}).out.contains("quarantined"); }));
  CHECK(crashing.shop.run(crashing.shop.order(1, {"--wait"})).code == 0);
}

TEST_CASE("crashes that nobody is to blame for make serve give up") {
  const CrashingShop crashing("", "supervisor: {max_restarts: 1, max_seconds: 60}\n");
  Running serve = crashing.serve();
  REQUIRE(crashing.is_serving());
  for (int life = 1; life <= 2; ++life) {
    REQUIRE(crashing.logs("worker " + std::to_string(life) + " serves"));
    const std::string pid =
        crashing.value("select max(pid) from weir.worker where ended_at is null");
    ::kill(std::stoi(pid), SIGKILL);
  }
  CHECK(serve.wait() == 1);
  CHECK(
      crashing.log().contains("gives up: its worker process ended 2 times (limit: 1 "
                              "restarts within 60 s), most recently by signal 9 (SIGKILL)"));
}

TEST_SUITE_END();
