// What a person tells runs and flows from the command line.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "integration/cli/shop.hpp"

using weir::testing::eventually;
using weir::testing::Ran;
using weir::testing::Running;
using weir::testing::ServedShop;

namespace {

std::string started(const ServedShop& served, int id, const std::vector<std::string>& more) {
  const Ran ran = served.shop.run(served.shop.order(id, more));
  CHECK_MESSAGE(ran.code == 0, ran.err);
  return ran.out.substr(0, ran.out.find('\n'));
}

}  // namespace

TEST_SUITE_BEGIN("cli: control");

TEST_CASE("C1: runs cancel ends runs with a reason and goes on past one that is none") {
  const ServedShop served;
  const std::string id = started(served, 1, {"--delay", "1h"});
  const Ran cancelled = served.shop.run({"runs", "cancel", "seven", id, "--reason", "wrong order"});
  CHECK(cancelled.code == 2);
  CHECK(cancelled.out == id + "  cancelled\n");
  CHECK(served.shop.run({"runs", "show", id}).out.contains("\nerror    wrong order\n"));
  CHECK(served.shop.run({"runs", "cancel", id}).out == id + "  was over: cancelled\n");
  CHECK(served.shop.run({"runs", "cancel", id, "--json"}).out ==
        "[{\"run_id\":\"" + id + "\",\"cancelled\":false,\"status\":\"cancelled\"}]\n");
  CHECK(served.shop.run({"runs", "retry", id}).out == id + "  continues\n");
  const Ran refused = served.shop.run({"runs", "retry", id});
  CHECK(refused.code == 1);
  CHECK(refused.err.contains(id));
  CHECK(served.shop.run({"runs", "signal", id, "go"}).code == 1);
}

TEST_CASE("C2: a paused flow begins nothing until it is resumed") {
  const ServedShop served;
  started(served, 1, {"--delay", "1h"});
  CHECK(served.shop.run({"flows", "pause", "process_order"}).out ==
        "process_order is paused: running steps finish, and nothing new starts\n");
  CHECK(served.shop.run({"flows", "pause", "process_order"}).out ==
        "process_order was paused before\n");
  CHECK(served.shop.run({"flows", "resume", "process_order"}).out == "process_order is resumed\n");
  const Ran unknown = served.shop.run({"flows", "pause", "proces_order"});
  CHECK(unknown.code == 1);
  CHECK(unknown.err.contains("did you mean \"process_order\"?"));
}

TEST_CASE(
    "S1: start takes a time and tags and a priority and a version and runs are listed by them") {
  const ServedShop served;
  const std::string id = started(
      served, 1, {"--at", "2099-01-01 10:00", "--tag", "eve", "--tag", "shop", "--priority", "7"});
  const std::string other = started(served, 2, {"--delay", "1h"});
  const std::string shown = served.shop.run({"runs", "show", id}).out;
  CHECK(shown.contains("\nstarts   2099-01-01 10:00:00 UTC\n"));
  CHECK(shown.contains("\npriority 7\ntags     eve, shop\n"));
  const auto listed = [&](const std::vector<std::string>& filter) {
    std::vector<std::string> words = {"runs", "list"};
    words.insert(words.end(), filter.begin(), filter.end());
    const std::string out = served.shop.run(words).out;
    return std::string(out.contains(id) ? "first " : "") + (out.contains(other) ? "second" : "");
  };
  CHECK(listed({}) == "first second");
  CHECK(listed({"--tag", "eve"}) == "first ");
  CHECK(listed({"--since", "1h"}) == "first second");
  CHECK(listed({"--until", "1h"}) == "");
  CHECK(listed({"--since", "2099-01-01"}) == "");
  CHECK(listed({"--input", "{\"order_id\": 2}"}) == "second");
  CHECK(listed({"--output", "{}"}) == "");
  CHECK(served.shop.run({"runs", "list", "--since", "noon"}).err ==
        "weir: error: --since: expected a time such as \"2026-11-21 18:00\" (UTC), or how long ago "
        "it was, such as \"2h\", got \"noon\"\n");
  const Ran unknown = served.shop.run(served.shop.order(3, {"--version", "9"}));
  CHECK(unknown.code == 1);
  CHECK(unknown.err.contains("version 9"));
}

TEST_CASE("L1: workers are listed while they live and after") {
  const ServedShop served;
  CHECK(served.shop.run({"migrate"}).code == 0);
  CHECK(served.shop.run({"workers", "list"}).err ==
        "weir: note: no worker has joined yet: \"weir serve\" starts one\n");
  {
    const Running serve = served.shop.begin({"serve"}, "serve.log");
    CHECK(
        eventually([&] { return served.shop.run({"workers", "list"}).out.contains("  alive "); }));
  }
  CHECK(served.shop.run({"workers", "list", "--json"}).out.starts_with("[{\"worker_id\":"));
}

TEST_SUITE_END();
