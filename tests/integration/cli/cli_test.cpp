// The program with a database: what a person types, and what comes of it.
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <signal.h>

#include "integration/cli/shop.hpp"

using weir::testing::eventually;
using weir::testing::Ran;
using weir::testing::Running;
using weir::testing::ServedShop;
using weir::testing::Shop;
using weir::testing::text;
namespace fs = std::filesystem;

namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// The run_id in the JSON of `weir start --json`.
std::string run_id(const std::string& json) {
  const std::string key = "\"run_id\":\"";
  const std::size_t at = json.find(key);
  REQUIRE(at != std::string::npos);
  return json.substr(at + key.size(), 36);
}

}  // namespace

TEST_SUITE_BEGIN("cli: with a database");

TEST_CASE("a run started before the first worker waits for it and is told why") {
  const ServedShop served;
  const Shop& shop = served.shop;
  Running start = shop.begin(shop.order(1, {"--wait"}), "start.log");
  REQUIRE(
      eventually([&] { return text(shop.path() / "start.log").contains("no worker is alive"); }));
  CHECK(text(shop.path() / "start.log") ==
        "no worker is alive: the run waits until \"weir serve\" is started\n");

  Running serve = shop.begin({"serve"}, "serve.log");
  CHECK(start.wait() == 0);
  const std::string output = text(shop.path() / "start.log");
  CHECK(output.contains("process_order version 1  completed\n"));
  CHECK(output.contains("\n  + send_confirmation  completed"));
  CHECK(fs::exists(shop.path() / "ledger/order-1.json"));

  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
  CHECK(text(shop.path() / "serve.log").contains("info stopped\n"));
}

TEST_CASE("start prints the run's id and runs show tells how it ended") {
  const ServedShop served;
  const Shop& shop = served.shop;
  const Running serve = shop.begin({"serve"}, "serve.log");
  const Ran started = shop.run(shop.order(7));
  CHECK(started.code == 0);
  const std::string id = first_line(started.out);
  CHECK(id.size() == 36);

  const Ran watched = shop.run({"runs", "watch", id});
  CHECK(watched.code == 0);
  CHECK(watched.out.starts_with(id + "  process_order version 1  completed\ninput    {"));
  CHECK(shop.run({"runs", "show", id}).out == watched.out);

  const std::string json = shop.run({"runs", "show", id, "--json"}).out;
  for (const char* key :
       {"\"run_id\":", "\"flow\":\"process_order\"", "\"version\":1", "\"status\":\"completed\"",
        "\"input\":{", "\"output\":{", "\"error\":null", "\"started_at\":\"", "\"ended_at\":\"",
        "\"steps\":[{\"slug\":\"validate\",\"kind\":\"single\",\"status\":\"completed\"",
        "\"attempts\":1", "\"skip_reason\":null"})
    CHECK_MESSAGE(json.contains(key), key);
}

TEST_CASE("a run that fails makes start --wait exit 1 and says what failed") {
  const ServedShop served;
  const Running serve = served.shop.begin({"serve"}, "serve.log");
  const Ran failed = served.shop.run(served.shop.order(0, {"--wait"}));
  CHECK(failed.code == 1);
  CHECK(failed.out.contains("process_order version 1  failed\n"));
  CHECK(failed.out.contains("order_id 0 is not positive"));
  CHECK(failed.out.contains("\n  x validate           failed"));
  CHECK(failed.out.contains("\n  - charge_payment     "));
}

TEST_CASE("S4: the same key gives the same run") {
  const ServedShop served;
  const Ran first = served.shop.run(served.shop.order(3, {"--key", "k", "--json"}));
  CHECK(first.code == 0);
  CHECK(first.out ==
        "{\"run_id\":\"" + run_id(first.out) + "\",\"created\":true,\"status\":\"queued\"}\n");
  const Ran second = served.shop.run(served.shop.order(3, {"--key", "k", "--json"}));
  CHECK(second.out ==
        "{\"run_id\":\"" + run_id(first.out) + "\",\"created\":false,\"status\":\"queued\"}\n");
  CHECK(second.err == "weir: note: key \"k\" was used before: this is the run it started\n");
}

TEST_CASE("a delayed run says when it starts and is listed as queued") {
  const ServedShop served;
  const std::string id = first_line(served.shop.run(served.shop.order(4, {"--delay", "1h"})).out);
  CHECK(served.shop.run({"runs", "show", id}).out.contains("\nstarts   "));
  CHECK(served.shop.run({"runs", "list"}).out.contains("\n" + id + "  process_order  queued\n"));
  CHECK(served.shop.run({"runs", "list", "--status", "queued", "--flow", "process_order"})
            .out.contains(id));
  CHECK(served.shop.run({"runs", "list", "--status", "failed"}).err ==
        "weir: note: no such runs\n");
  CHECK(
      served.shop.run({"runs", "list", "--json"}).out.starts_with("[{\"run_id\":\"" + id + "\","));
}

TEST_CASE("S2: an unknown flow is not found and the nearest is named") {
  const ServedShop served;
  served.shop.run(served.shop.order(5));
  const Ran unknown = served.shop.run({"start", "proces_order"});
  CHECK(unknown.code == 1);
  CHECK(
      unknown.err ==
      "weir: error: no flow \"proces_order\" in this database (did you mean \"process_order\"?)\n");
}

TEST_CASE("S3: input that the flow's schema refuses is a mistake with its place") {
  const ServedShop served;
  const Ran refused =
      served.shop.run({"start", "process_order", "--input", "{\"order_id\": \"seven\"}"});
  CHECK(refused.code == 2);
  CHECK(refused.err.starts_with("weir: error: "));
  CHECK(refused.err.contains("/order_id"));
}

TEST_CASE("a run that is not there and an id that is none are told apart") {
  const ServedShop served;
  CHECK(served.shop.run({"runs", "show", "0198c0de-0000-7000-8000-000000000000"}).code == 1);
  CHECK(served.shop.run({"runs", "watch", "0198c0de-0000-7000-8000-000000000000"}).code == 1);
  CHECK(served.shop.run({"runs", "show", "seven"}).code == 2);
}

TEST_CASE("doctor tells of the database and of its workers") {
  const ServedShop served;
  const Ran idle = served.shop.run({"doctor"});
  CHECK(idle.code == 0);
  CHECK(idle.out.contains("\nok       schema: "));
  CHECK(idle.out.contains("\nok       server: PostgreSQL "));
  CHECK(idle.out.contains("\nwarning  workers: none is alive"));
  const Running serve = served.shop.begin({"serve"}, "serve.log");
  CHECK(eventually(
      [&] { return served.shop.run({"doctor"}).out.contains("\nok       workers: 1 alive\n"); }));
}

TEST_CASE("log lines are JSON when flows.yaml says so") {
  const weir::testing::TestDatabase database;
  const Shop shop("database: {url: \"" + database.url() +
                  "\", migrate: true}\nlog: {format: json}\n");
  Running serve = shop.begin({"serve"}, "serve.log");
  REQUIRE(eventually([&] { return text(shop.path() / "serve.log").contains(" serves "); }));
  serve.signal(SIGINT);
  CHECK(serve.wait() == 0);
  const std::string log = text(shop.path() / "serve.log");
  CHECK(log.starts_with("{\"time\":\"20"));
  CHECK(log.contains("Z\",\"level\":\"info\",\"message\":\"stopped\"}\n"));
}

TEST_CASE("without a database a private one is made and its server ends with its last user") {
  const Shop shop("");
  Running serve = shop.begin({"serve"}, "serve.log");
  REQUIRE(eventually([&] { return text(shop.path() / "serve.log").contains(" serves "); }));
  const Ran done = shop.run(shop.order(11, {"--wait"}));
  CHECK(done.code == 0);
  CHECK(fs::exists(shop.path() / ".weir"));
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
  CHECK_FALSE(fs::exists(shop.path() / ".weir/postgres/data/postmaster.pid"));

  const Ran list = shop.run({"runs", "list"});
  CHECK(list.code == 0);
  CHECK(list.out.contains("  completed  "));
  CHECK_FALSE(fs::exists(shop.path() / ".weir/postgres/data/postmaster.pid"));
}
