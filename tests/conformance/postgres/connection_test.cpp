#include <csignal>
#include <optional>
#include <thread>

#include <fmt/core.h>

#include "base/process_handle.hpp"
#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/local/local_postgres.hpp"
#include "store/local/postmaster.hpp"
#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "store/postgres/session.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"
#include "support/pgbouncer.hpp"
#include "unit/store_local/project_folder.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// Ends every other session of the database, as an administrator or a failing server does.
void end_sessions(const PostgresUnderTest& stores) {
  stores.sql(
      "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
      " where datname = current_database() and pid <> pg_backend_pid()");
}

// Breaks the session of `call` while it waits for a lock: it has begun, and its outcome is unknown
// to its caller. Returns what `call` returned.
template <class Call>
auto broken_during(const PostgresUnderTest& stores, Call call) {
  AdminSession lock(stores.url());
  lock.run("begin");
  lock.run("lock table weir.run, weir.open_run, weir.flow in access exclusive mode");
  std::optional<decltype(call())> answer;
  std::thread calling([&] { answer.emplace(call()); });
  const bool broken = eventually([&] {
    return !AdminSession(stores.url())
                .run(
                    "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                    " where datname = current_database() and wait_event_type = 'Lock'")
                .empty();
  });
  lock.run("rollback");
  calling.join();
  REQUIRE(broken);
  return *std::move(answer);
}

}  // namespace

TEST_SUITE("postgres: connections") {
  TEST_CASE("L6: an exchange over a broken session is unavailable and may be made again") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    worker.loads(one_step());
    const auto client = stores.client_session();
    start_one(*client);
    const ClaimedRun run = worker.claim_one();
    start_one(*client);
    ExchangeRequest request = worker.next(1);
    request.settled.push_back({run.run, completed(0, 0, 1, "1"), {}});
    const auto broken = broken_during(stores, [&] { return worker.session->exchange(request); });
    REQUIRE_FALSE(broken.has_value());
    CHECK(broken.error().code == ErrorCode::unavailable);
    CHECK(broken.error().kind == "database_away");
    CHECK(worker.exchange(request).claimed.size() == 1);
    CHECK(journal_of(*worker.session, run.run).size() == 1);
  }

  TEST_CASE("L6: a wait notices that its session broke and a new one listens again") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    worker.loads(one_step());
    CHECK(worker.claim(1).empty());
    end_sessions(stores);
    CHECK(worker.session->wait(30s));
    const auto client = stores.client_session();
    CHECK(worker.claim(1).empty());
    start_one(*client);
    CHECK(worker.session->wait(30s));
    CHECK(worker.claim(1).size() == 1);
  }

  TEST_CASE("L6: a session that the server ended between two calls costs no call") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    worker.loads(one_step());
    const auto client = stores.client_session();
    end_sessions(stores);
    const auto started = client->start("totals", {Json()}, {});
    REQUIRE_MESSAGE(started, to_string(started.error()));
    end_sessions(stores);
    CHECK(must(client->cancel(started->front().id, "enough")));
    end_sessions(stores);
    CHECK(must(client->runs({})).size() == 1);
    end_sessions(stores);
    CHECK(worker.claim(1).empty());
  }

  TEST_CASE("L6: the first call after a restart of the server is answered") {
    const ProjectFolder project;
    auto server = must(LocalPostgres::open(project.weir(), {.durable = false}));
    REQUIRE(postgres::migrate(server.url()));
    const auto client = must(postgres::open_run_store(server.url()));
    const std::string run = "00000000-0000-7000-8000-000000000000";
    const auto restart = [&] {
      ProcessHandle::open(local::read_pid_file(project.data())->pid)->signal(SIGINT);
      REQUIRE(server.wait_for_end(60s));
      REQUIRE(server.start_again(60s, [] { return false; }));
    };
    restart();
    CHECK(client->cancel(run, "").error().kind == "not_found");
    restart();
    CHECK(client->start("order", {Json()}, {}).error().kind == "not_found");
    restart();
    CHECK(must(client->workers_alive()) == 0);
  }

  TEST_CASE("L6: a session that breaks during a call costs that call and none after it") {
    PostgresUnderTest stores;
    TestWorker(stores).loads(one_step());
    const auto client = stores.client_session();
    CHECK(broken_during(stores, [&] { return client->runs({}); }).error().code ==
          ErrorCode::unavailable);
    CHECK(must(client->runs({})).empty());
  }

  TEST_CASE("a start is in doubt when its session broke and not when there was none") {
    std::optional<PostgresUnderTest> stores(std::in_place);
    TestWorker(*stores).loads(one_step());
    const auto client = stores->client_session();
    const auto broken =
        broken_during(*stores, [&] { return client->start("totals", {Json()}, {}); });
    CHECK(broken.error().code == ErrorCode::in_doubt);
    stores.reset();  // the database goes with it
    CHECK(client->start("totals", {Json()}, {}).error().code == ErrorCode::unavailable);
  }

  TEST_CASE("an unknown database is told with its name") {
    const std::string url = PostgresUnderTest().url();  // the database goes with its object
    const auto refused = postgres::open_run_store(url);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().kind == "no_such_database");
    CHECK(refused.error().message.contains("does not exist"));
    CHECK(refused.error().hint == "create it, or fix the database URL");
  }

  TEST_CASE("no server is told with where it was looked for") {
    const auto refused = postgres::open_worker_store(
        "postgresql://anna:geheim@127.0.0.1:1/orders?connect_timeout=5");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().kind == "database_away");
    CHECK(refused.error().message.starts_with(
        "cannot reach the database "
        "postgresql://anna:***@127.0.0.1:1/orders?connect_timeout=5: "));
    CHECK(refused.error().message.contains("Connection refused"));
    CHECK_FALSE(to_string(refused.error()).contains("geheim"));
  }

  TEST_CASE("L6: a session relies on no setting of the database") {
    const PostgresUnderTest stores;
    const std::pair<const char*, const char*> settings[] = {
        {"statement_timeout", "'1h'"},
        {"lock_timeout", "'1h'"},
        {"idle_session_timeout", "'1h'"},
        {"idle_in_transaction_session_timeout", "'1h'"},
        {"client_encoding", "LATIN1"},
        {"array_nulls", "off"},
        {"default_transaction_isolation", "serializable"},
        {"default_transaction_deferrable", "on"},
        {"search_path", "nowhere"},
        {"timezone", "'Asia/Tokyo'"},
        {"datestyle", "'German, DMY'"},
        {"jit", "on"},
        {"exit_on_error", "on"},
        {"synchronous_commit", "off"},
        {"default_transaction_read_only", "on"}};
    for (const auto& [name, value] : settings)
      stores.sql(fmt::format(
          "do $$ begin execute format('alter database %I set {} = {}', current_database()); end $$",
          name, std::string(value).starts_with('\'') ? "'" + std::string(value) + "'" : value));
    const auto session = must(postgres::Session::open(stores.url()));
    const auto values = must(session->query(
        "select concat_ws(' ', current_setting('statement_timeout'), "
        "current_setting('lock_timeout'), current_setting('idle_session_timeout'), "
        "current_setting('idle_in_transaction_session_timeout'), "
        "current_setting('client_encoding'), current_setting('array_nulls'), "
        "current_setting('default_transaction_isolation'), "
        "current_setting('default_transaction_read_only'), "
        "current_setting('default_transaction_deferrable'), current_setting('search_path'), "
        "current_setting('timezone'), current_setting('datestyle'), current_setting('jit'), "
        "current_setting('exit_on_error'), current_setting('synchronous_commit'))"));
    CHECK(values[0][0].as<std::string>() ==
          "0 0 0 0 UTF8 on read committed off off pg_catalog UTC ISO, MDY off off on");
  }

  TEST_CASE("what a database commits with beyond its disk is left as it is") {
    const PostgresUnderTest stores;
    stores.sql(
        "do $$ begin execute format('alter database %I set synchronous_commit = remote_apply', "
        "current_database()); end $$");
    const auto session = must(postgres::Session::open(stores.url()));
    CHECK(must(session->query("show synchronous_commit"))[0][0].as<std::string>() ==
          "remote_apply");
  }

  TEST_CASE("a pooler with pool_mode = session stands between" *
            doctest::skip(!Pgbouncer::is_installed())) {
    PostgresUnderTest stores;
    const Pgbouncer pooler(stores.url(), "session");
    const auto session = must(postgres::open_worker_store(pooler.url()));
    const auto client = must(postgres::open_run_store(pooler.url()));
    TestWorker worker(stores);
    worker.session = must(postgres::open_worker_store(pooler.url()));
    worker.loads(one_step());
    for (int time = 0; time < 3; ++time) {
      CHECK(worker.claim(1).empty());
      start_one(*client);
      CHECK(worker.session->wait(30s));
      const ClaimedRun run = worker.claim_one();
      worker.ends(run.run, {.output = Json()});
    }
  }

  TEST_CASE("a pool with a session for each of ours is large enough, also after a restart" *
            doctest::skip(!Pgbouncer::is_installed())) {
    const PostgresUnderTest stores;
    const Pgbouncer pooler(stores.url(), "session", 4);
    std::vector<std::unique_ptr<RunStore>> open(4);
    for (int time = 0; time < 2; ++time) {
      std::vector<std::optional<Error>> refused(open.size());
      {
        std::vector<std::jthread> clients;
        for (std::size_t i = 0; i < open.size(); ++i)
          clients.emplace_back([&, i] {
            if (!open[i]) {
              auto opened = postgres::open_run_store(pooler.url());
              if (opened)
                open[i] = *std::move(opened);
              else
                refused[i] = opened.error();
            }
            if (open[i])
              if (const auto alive = open[i]->workers_alive(); !alive) refused[i] = alive.error();
          });
      }
      for (const auto& error : refused)
        CHECK_MESSAGE(!error.has_value(), to_string(error.value_or(Error{})));
      end_sessions(stores);  // the pooler passes it on to all of its clients
    }
  }

  TEST_CASE("a pooler that gives each transaction another session is told with what to do" *
            doctest::skip(!Pgbouncer::is_installed())) {
    const PostgresUnderTest stores;
    const Pgbouncer pooler(stores.url(), "transaction");
    const auto refused = postgres::open_run_store(pooler.url());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().kind == "transaction_pooling");
    CHECK(refused.error().message.contains("pool_mode = transaction"));
    CHECK(refused.error().hint.contains("pool_mode = session"));
  }

  TEST_CASE("a URL that is none shows no password") {
    for (const char* url :
         {"postgresql//anna:geheim@host/orders", "host=h password = geheim port=x",
          "postgresql://anna:geheim@host:port/orders"}) {
      const auto refused = postgres::open_run_store(url);
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().code == ErrorCode::unavailable);
      CHECK_FALSE(to_string(refused.error()).contains("geheim"));
    }
  }
}
