#include "cli/views/version_view.hpp"

#include <doctest/doctest.h>

#include "cli/views/plugin_view.hpp"
#include "unit/cli/now.hpp"

using namespace weir;
using namespace weir::cli;
using weir::testing::now;

namespace {

std::vector<VersionReport> versions() {
  return {{.number = 3,
           .module = "shop.Order",
           .fingerprint = std::string(64, 'c'),
           .created_at = now - std::chrono::seconds(12),
           .open_runs = 3,
           .workers = 2,
           .plugins = {std::string(64, 'd')},
           .takes_starts = true},
          {.number = 2,
           .fingerprint = std::string(64, 'b'),
           .created_at = now - std::chrono::hours(2),
           .open_runs = 1'000,
           .workers = 2,
           .adopted_by = 3},
          {.number = 1,
           .fingerprint = std::string(64, 'a'),
           .created_at = now - std::chrono::hours(72),
           .safe_to_remove = true}};
}

ReportedPlugin report(int pid, std::string state, std::string sha256) {
  return {.host = "here",
          .pid = pid,
          .path = "/p/shop.so",
          .sha256 = std::move(sha256),
          .plugin = "shop",
          .version = "1.2",
          .flows = {"order", "refund"},
          .state = std::move(state)};
}

}  // namespace

TEST_SUITE("cli: versions") {
  TEST_CASE("V4: each version says who needs it") {
    CHECK(versions_text(versions(), now, {}) ==
          "VERSION  FINGERPRINT   SINCE    OPEN RUNS  WORKERS  STATE           PLUGIN\n"
          "      3  cccccccccccc  12s ago          3        2  takes new runs  dddddddddddd\n"
          "      2  bbbbbbbbbbbb  2h ago        1000        2  moves to 3\n"
          "      1  aaaaaaaaaaaa  3d ago           0        0  safe to remove\n");
  }

  TEST_CASE("the JSON of a version has the names of the view") {
    CHECK(version_json(versions()[1]).text() ==
          "{\"version\":2,\"module\":\"\",\"fingerprint\":\"" + std::string(64, 'b') +
              "\",\"created_at\":\"2027-01-15T06:00:00.000000Z\",\"open_runs\":1000,\"workers\":2,"
              "\"quarantined\":0,\"plugins\":[],\"adopted_by\":3,\"takes_starts\":false,\"safe_to_"
              "remove\":false}");
  }

  TEST_CASE("V3: what became of open runs is one line") {
    CHECK(adoption_text(1, {.version = 2, .moved = 206, .held = 8}) ==
          "version 1: 206 open runs moved to version 2, 8 when a worker releases them\n");
    CHECK(adoption_text(1, {.version = 2, .moved = 1}) ==
          "version 1: 1 open run moved to version 2\n");
    CHECK(adoption_json(1, {.version = 2, .moved = 6, .held = 1}).text() ==
          R"({"from":1,"to":2,"moved":6,"held":1})");
  }
}

TEST_SUITE("cli: plugins") {
  TEST_CASE("a file is shown as the processes that have it say") {
    const ShownPlugin file{
        .path = "/p/shop.so", .sha256 = "bb", .state = "sound", .in_folder = true};
    const auto rows = joined({file}, std::vector{report(1, "live", "bb"), report(1, "former", "aa"),
                                                 report(2, "live", "bb"), report(3, "live", "aa")});
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].in_folder);
    CHECK(rows[0].state == "live");
    CHECK(rows[0].processes == 2);
    CHECK(rows[1].state == "former");
    CHECK(rows[1].processes == 1);
    CHECK(rows[2].state == "live");
    CHECK_FALSE(rows[2].in_folder);
    CHECK(plugins_text(rows, {}) ==
          "FILE        STATE   PROCESSES  PLUGIN    FLOWS         SHA256\n"
          "/p/shop.so  live            2  shop 1.2  order refund  bb\n"
          "/p/shop.so  former          1  shop 1.2  order refund  aa\n"
          "/p/shop.so  live            1  shop 1.2  order refund  aa\n");
  }

  TEST_CASE("V4: a flow of a live plugin that no worker has taken over is told") {
    std::vector<ShownPlugin> rows = joined({}, std::vector{report(1, "live", "bb")});
    const std::vector<VersionReport> known = {
        {.flow = "order", .workers = 1, .plugins = {"aa", "bb"}},
        {.flow = "refund", .workers = 1, .plugins = {"aa"}}};
    mark_not_served(rows, known);
    CHECK(rows[0].not_served == std::vector<std::string>{"refund"});
    CHECK(why(rows[0]) ==
          "/p/shop.so: no worker has taken over flow refund (the log of weir serve says why)");
    CHECK(plugin_json(rows[0]).text().contains("\"not_served\":[\"refund\"]"));
  }

  TEST_CASE("A5: the deferred calls that keep a former plugin loaded are counted") {
    std::vector<ReportedPlugin> reports = {report(1, "former", "aa"), report(2, "former", "aa"),
                                           report(2, "live", "bb")};
    CHECK(why(joined({}, reports)[0]).empty());
    reports[1].pending_calls = 1;
    CHECK(why(joined({}, reports)[0]) == "/p/shop.so: stays loaded: 1 deferred call is pending");
    reports[0].pending_calls = 11;
    const ShownPlugin former = joined({}, reports)[0];
    CHECK(why(former) == "/p/shop.so: stays loaded: 12 deferred calls are pending");
    CHECK(plugin_json(former).text().contains("\"pending_calls\":12"));
  }

  TEST_CASE("a plugin that cannot be used says why") {
    ShownPlugin plugin{.path = "/p/shop.so", .state = "refused"};
    CHECK(why(plugin).empty());
    plugin.kind = "truncated";
    plugin.detail = "cut short";
    plugin.hint = "copy it again";
    CHECK(why(plugin) == "/p/shop.so: truncated: cut short (copy it again)");
  }
}
