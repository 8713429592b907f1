// What weir serve does with workers that fail, and with more than one.
#include <string>

#include <doctest/doctest.h>
#include <signal.h>

#include "integration/cli/shop.hpp"
#include "support/admin_session.hpp"

using weir::testing::AdminSession;
using weir::testing::eventually;
using weir::testing::Running;
using weir::testing::Shop;
using weir::testing::TestDatabase;
using weir::testing::text;
namespace fs = std::filesystem;

namespace {

// A shop with its own lines of flows.yaml, on a migrated database of its own.
struct SpecialShop {
  explicit SpecialShop(const std::string& lines)
      : shop("database: \"" + database.url() + "\"\n" + lines), admin(database.url()) {
    REQUIRE(shop.run({"migrate"}).code == 0);
  }

  bool logs(const std::string& words) const {
    return eventually([&] { return text(shop.path() / "serve.log").contains(words); });
  }

  /// From now on no worker may join, for a reason that only a person can mend.
  void refuse_workers() {
    admin.run("alter function weir.join_as_worker rename to join_as_worker_in_peace");
    admin.run(
        "create function weir.join_as_worker(text, integer, integer, bigint, bigint[], integer) "
        "returns bigint "
        "language plpgsql as $$ begin raise exception 'no more workers here'; end $$");
  }
  void accept_workers() {
    admin.run("drop function weir.join_as_worker");
    admin.run("alter function weir.join_as_worker_in_peace rename to join_as_worker");
  }

  TestDatabase database;
  Shop shop;
  AdminSession admin;
};

}  // namespace

TEST_SUITE_BEGIN("cli: serve");

TEST_CASE("two workers in one process serve side by side and both drain") {
  const SpecialShop special("worker: {count: 2}\n");
  Running serve = special.shop.begin({"serve"}, "serve.log");
  REQUIRE(special.logs("worker 1 serves 1 flow with 8 slots"));
  REQUIRE(special.logs("worker 2 serves 1 flow with 8 slots"));
  CHECK(special.shop.run({"doctor"}).out.contains("\nok       workers: 2 alive\n"));
  CHECK(special.shop.run(special.shop.order(1, {"--wait"})).code == 0);
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
  const std::string log = text(special.shop.path() / "serve.log");
  CHECK(log.contains("info worker 1 left and released 0 unfinished runs\n"));
  CHECK(log.contains("info worker 2 left and released 0 unfinished runs\n"));
  CHECK(log.contains("info stopped\n"));
}

TEST_CASE("a worker that fails is named in the log and started again") {
  SpecialShop special("worker: {lease: 1s}\nsupervisor: {max_restarts: 1000}\n");
  Running serve = special.shop.begin({"serve"}, "serve.log");
  REQUIRE(special.logs("worker 1 serves"));
  special.refuse_workers();
  special.admin.run("update weir.worker set ended_at = now(), end_reason = 'lapsed'");
  CHECK(special.logs("error serve: worker-1 ended: no more workers here; restart 1 in 100 ms\n"));
  special.accept_workers();
  CHECK(special.logs("info serve: worker-1 started again\n"));
  CHECK(special.shop.run(special.shop.order(2, {"--wait"})).code == 0);
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
}

TEST_CASE("a worker that keeps failing makes serve give up with its error") {
  SpecialShop special("supervisor: {max_restarts: 2, max_seconds: 60}\n");
  special.refuse_workers();
  Running serve = special.shop.begin({"serve"}, "serve.log");
  CHECK(serve.wait() == 1);
  const std::string log = text(special.shop.path() / "serve.log");
  INFO(log);
  CHECK(log.contains("error serve: worker-1 ended: no more workers here; restart 2 in 200 ms\n"));
  CHECK(
      log.ends_with("weir: error: \"serve\" gives up on \"worker-1\", which ended 3 times "
                    "(limit: 2 restarts within 60 s), most recently with: no more workers here\n"));
}

TEST_CASE("serve without a flow waits for a plugin and runs it once it is dropped in") {
  const SpecialShop special("");
  const fs::path plugin = special.shop.path() / "plugins/process_order.so";
  const fs::path aside = special.shop.path() / "aside";
  fs::rename(plugin, aside);
  Running serve = special.shop.begin({"serve"}, "serve.log");
  REQUIRE(special.logs("there is no flow to serve yet: waiting for a plugin"));
  fs::rename(aside, plugin);
  // Not known to the database until a worker has registered it.
  CHECK(eventually([&] { return special.shop.run(special.shop.order(3, {"--wait"})).code == 0; }));
  serve.signal(SIGTERM);
  CHECK(serve.wait() == 0);
}

TEST_SUITE_END();
