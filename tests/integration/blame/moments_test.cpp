// A plugin that ends the worker process as it is loaded or unloaded harms nobody else.
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "integration/blame/crashing_shop.hpp"

namespace fs = std::filesystem;
using weir::testing::CrashingShop;
using weir::testing::eventually;
using weir::testing::Running;

namespace {

// No restart is allowed for crashes that count against the supervisor.
struct MomentousShop : CrashingShop {
  explicit MomentousShop(const std::string& plugins)
      : CrashingShop(plugins, "supervisor: {max_restarts: 0}\n") {
    fs::copy_file(MOMENTS, moments());
    fs::permissions(moments(), fs::perms::owner_read | fs::perms::owner_write);
  }
  fs::path moments() const { return shop.path() / "plugins/moments.so"; }
  void set(const std::string& moment) const {
    std::ofstream(shop.path() / "moment.next") << moment;
    fs::rename(shop.path() / "moment.next", shop.path() / "moment");
  }
  bool lists(const std::string& words) const {
    return eventually([&] { return shop.run({"plugins", "list"}).out.contains(words); });
  }
};

}  // namespace

TEST_SUITE_BEGIN("serve: plugins that crash as they are loaded or unloaded");

TEST_CASE(
    "F1: a plugin that ends the process as it is loaded is barred and the others are served") {
  for (const auto& [kind, words] :
       {std::pair("segv", "crashed: SIGSEGV at address 0x10 (null pointer) in moments::end("),
        {"abort", "crashed: SIGABRT"},
        {"stack", "crashed: SIGSEGV"},
        {"exit", "ended the process with status 3"},
        {"raw exit", "ended the process: exit status 4"},
        {"kill", "ended the process: signal 9 (SIGKILL)"}}) {
    CAPTURE(std::string(kind));
    const MomentousShop crashing(", quarantine: 1h");
    crashing.set(std::string("loading ") + kind);
    const Running serve = crashing.serve();
    REQUIRE(crashing.is_serving());
    const std::string log = crashing.log();
    CHECK(log.contains("error plugin moments 1.0.0 (sha256 "));
    CHECK(log.contains(std::string("): loading it ") + words));
    CHECK(log.contains(") is not loaded for 3600 s: its runs wait, the others go on"));
    CHECK(log.find("started again") == log.rfind("started again"));
    CHECK(crashing.shop.run(crashing.shop.order(1, {"--wait"})).code == 0);
    CHECK(crashing.lists("quarantined"));
    CHECK(
        crashing.value("select concat_ws(' ', state, kind, until > now() + interval '50 minutes') "
                       "from weir.plugins where path like '%moments.so'") ==
        "quarantined plugin_quarantined t");
    CHECK(crashing.value("select detail from weir.plugins where path like '%moments.so'")
              .contains(std::string("loading it ") + words));
  }
}

TEST_CASE("F1: a plugin whose loading or unloading does not end is named and holds nobody up") {
  const MomentousShop crashing(", quarantine: 1s, rescan: 1s");
  crashing.set("loading hang");
  const Running serve = crashing.serve();
  REQUIRE(crashing.logs("is not loaded for 1 s"));
  CHECK(crashing.log().contains("): loading it takes longer than 15 s in "));
  REQUIRE(crashing.is_serving());
  crashing.set("");
  REQUIRE(crashing.logs("flow moments from "));
  crashing.set("unloading hang");
  fs::remove(crashing.moments());
  REQUIRE(crashing.logs("): unloading it takes longer than 15 s in "));
  CHECK(crashing.shop.run(crashing.shop.order(1, {"--wait"})).code == 0);
}

TEST_CASE("F1: a plugin that was barred as it was loaded is live once it loads") {
  const MomentousShop crashing(", quarantine: 1s, rescan: 1s");
  crashing.set("loading segv");
  const Running serve = crashing.serve();
  REQUIRE(crashing.logs("is not loaded for 1 s"));
  crashing.set("");
  CHECK(crashing.logs("flow moments from "));
  CHECK(crashing.shop.run({"start", "moments", "--input", "1", "--wait"}).code == 0);
}

TEST_CASE("F1: a plugin that ends the process as it is unloaded is named and nobody is charged") {
  for (const auto& [kind, words] :
       {std::pair("segv",
                  "unloading it crashed: SIGSEGV at address 0x10 (null pointer) in moments::"),
        {"stack", "unloading it crashed: SIGSEGV"},
        {"exit", "unloading it ended the process with status 3"},
        {"raw exit", "unloading it"}}) {
    CAPTURE(std::string(kind));
    const MomentousShop crashing("");
    const Running serve = crashing.serve();
    REQUIRE(crashing.logs("worker 1 serves 3 flows"));
    crashing.set(std::string("unloading ") + kind);
    crashing.value(
        "select count(*) from weir.start_many('crashes', array_fill('\"long\"'::jsonb, "
        "array[40]))");
    fs::remove(crashing.moments());
    REQUIRE(crashing.logs("started again"));
    CHECK(crashing.log().contains("plugin moments 1.0.0 (sha256 "));
    CHECK(crashing.log().contains(words));
    CHECK(eventually(
        [&] {
          return crashing.value("select count(*) from weir.runs where status = 'completed'") ==
                 "40";
        },
        std::chrono::seconds(120)));
    CHECK(crashing.value("select count(*) from weir.journal where outcome <> 1") == "0");
  }
}

TEST_SUITE_END();
