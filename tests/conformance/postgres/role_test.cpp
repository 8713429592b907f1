#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/end_crashed_worker.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

// Sessions act as one role from their beginning.
class StoresAs final : public StoresUnderTest {
 public:
  explicit StoresAs(std::string role) : role_(std::move(role)) {}
  std::unique_ptr<WorkerStore> worker_session() override {
    return must(postgres::open_worker_store(url()));
  }
  std::unique_ptr<RunStore> client_session() override {
    return must(postgres::open_run_store(url()));
  }
  bool end_crashed_worker(const CrashedWorker& crashed) override {
    return must(postgres::end_crashed_worker(url(), crashed));
  }
  std::unique_ptr<RunStore> owner_session() { return owned_.client_session(); }
  std::unique_ptr<WorkerStore> owner_worker() { return owned_.worker_session(); }
  PostgresUnderTest& owned() noexcept { return owned_; }
  std::string url() const {
    return owned_.url() + (owned_.url().contains('?') ? "&" : "?") + "options=-c%20role%3D" + role_;
  }

 private:
  PostgresUnderTest owned_;
  std::string role_;
};

bool may(AdminSession& user, const std::string& statement) {
  user.run("begin");
  bool allowed = true;
  try {
    user.run(statement);
  } catch (const std::runtime_error& refused) {
    allowed = !std::string_view(refused.what()).contains("permission denied");
  }
  user.run("rollback");
  return allowed;
}

Rows tables(const PostgresUnderTest& stores) {
  return stores.sql(
      "select 'weir.' || relname from pg_class where relnamespace = 'weir'::regnamespace and "
      "relkind in "
      "('r', 'p') order by 1");
}

Rows views(const PostgresUnderTest& stores) {
  return stores.sql(
      "select 'weir.' || relname from pg_class where relnamespace = 'weir'::regnamespace and "
      "relkind = "
      "'v' order by 1");
}

const Rows client_calls = {
    "select * from weir.start('totals', 'null')",
    "select * from weir.start_many('totals', array['null'::jsonb])",
    "select weir.cancel(gen_random_uuid(), 'enough')",
    "select weir.signal(gen_random_uuid(), 'x', 'null')",
    "select weir.retry(gen_random_uuid())",
    "select weir.pause('totals')",
    "select weir.resume('totals')",
};

}  // namespace

TEST_SUITE("postgres: roles") {
  TEST_CASE("a reader reads every view and nothing else") {
    StoresAs stores("weir_reader");
    AdminSession user(stores.url());
    for (const std::string& view : views(stores.owned())) {
      CAPTURE(view);
      CHECK(may(user, "select * from " + view));
    }
    for (const std::string& table : tables(stores.owned())) {
      CAPTURE(table);
      CHECK(may(user, "select * from " + table) ==
            (table == "weir.migration" || table == "weir.schema_code"));
      CHECK_FALSE(may(user, "delete from " + table));
    }
    for (const std::string& call : client_calls) {
      CAPTURE(call);
      CHECK_FALSE(may(user, call));
    }
  }

  TEST_CASE("a client starts runs and tells them something but writes no table") {
    StoresAs stores("weir_client");
    AdminSession user(stores.url());
    for (const std::string& call : client_calls) {
      CAPTURE(call);
      CHECK(may(user, call));
    }
    for (const std::string& view : views(stores.owned())) CHECK(may(user, "select * from " + view));
    for (const std::string& table : tables(stores.owned())) {
      CAPTURE(table);
      CHECK_FALSE(may(user, "delete from " + table));
      CHECK_FALSE(may(user, "insert into " + table + " default values"));
    }
    for (const char* call : {"select weir.sweep()", "select weir.leave_as_worker(1)",
                             "select weir.make_runs(null, null, null, null, null, null, null)",
                             "select weir.cancel_runs(null, '')", "select weir.adopt('totals', 1)",
                             "select weir.drop_code()"})
      CHECK_FALSE(may(user, call));
  }

  TEST_CASE("a worker works and does nothing of a client's") {
    StoresAs stores("weir_worker");
    AdminSession user(stores.url());
    for (const std::string& call : client_calls) {
      CAPTURE(call);
      CHECK_FALSE(may(user, call));
    }
    for (const std::string& table : tables(stores.owned())) {
      CAPTURE(table);
      CHECK_FALSE(may(user, "delete from " + table));
    }
  }

  TEST_CASE("a worker that is no owner registers and claims and settles and ends runs") {
    StoresAs stores("weir_worker");
    TestWorker worker(stores);
    FlowDraft::Step sub = of_kind("flow", "sub");
    sub.flow = "child";
    worker.loads(flow({sub}));
    worker.loads(named("child", one_step()));
    const auto owner = stores.owner_session();
    const StartedRun started = start_one(*owner);
    const ClaimedRun run = worker.claim_one();
    must(worker.session->flows().serve_versions(worker.id, {{worker.versions[0], {}}}));
    must(worker.session->flows().register_plugin(std::string(64, 'c'), "/p.so"));
    must(worker.starts_child(run.run, 0, 1, "child", Json()));
    const ClaimedRun child = worker.claim_one();
    worker.journals(child.run, completed(0, 0, 1, "5"));
    CHECK(journal_of(*worker.session, child.run).size() == 1);
    worker.ends(child.run, {.output = json("5")});
    CHECK(worker.exchange(worker.next()).notifications.at(run.run).children.size() == 1);
    worker.ends(run.run, {.status = RunStatus::failed, .error = "boom", .failed_step = 0});
    CHECK(must(owner->summary(started.id)).status == "failed");
    must(worker.session->flows().adopt_older(worker.versions[0]));
    must(worker.session->sweep());
    must(worker.session->leave(worker.id));
    CHECK(stores.end_crashed_worker({.worker = TestWorker(stores).id}));
  }

  TEST_CASE("a client that is no owner asks and tells all that a client can") {
    StoresAs stores("weir_client");
    auto session = stores.owner_worker();
    must(session->flows().register_version(built(one_step())));
    const auto client = stores.client_session();
    const StartedRun started = start_one(*client, "[1]", {.idempotency_keys = {"k"}});
    CHECK(must(client->report(started.id)).steps.size() == 1);
    CHECK(must(client->runs({.flow = "totals", .status = "queued"})).size() == 1);
    CHECK(must(client->recorded(started.id)).rows.empty());
    CHECK(must(client->versions("totals")).size() == 1);
    CHECK(must(client->flow("totals", 1)).version == 1);
    CHECK(must(client->plugins()).empty());
    CHECK(must(client->workers(5)).empty());
    CHECK(must(client->workers_alive()) == 0);
    CHECK(must(client->over_among({started.id})).empty());
    CHECK(must(client->pause("totals")));
    CHECK(must(client->resume("totals")));
    CHECK(must(client->cancel(started.id, "enough")));
    CHECK(must(client->retry(started.id)) == 0);
  }

  TEST_CASE("whoever has no role can do nothing") {
    const PostgresUnderTest stores;
    for (const std::string& grantee :
         stores.sql("select distinct p.proname from pg_proc p cross join lateral "
                    "aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a where "
                    "p.pronamespace = 'weir'::regnamespace and a.grantee = 0"))
      FAIL_CHECK(grantee << " may be called by everybody");
  }

  TEST_CASE("every function that is granted exists and has a fixed search path") {
    const PostgresUnderTest stores;
    CHECK(stores.sql("select distinct r.function from weir.rights() r where not exists (select "
                     "from pg_proc p where p.pronamespace = 'weir'::regnamespace and p.proname = "
                     "r.function) order by 1") == Rows{});
    CHECK(stores.sql("select p.proname from pg_proc p where p.pronamespace = 'weir'::regnamespace "
                     "and p.prosecdef and not exists (select from unnest(p.proconfig) as c where c "
                     "= 'search_path=pg_catalog, pg_temp') order by 1") == Rows{});
  }
}
