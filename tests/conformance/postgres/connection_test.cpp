#include <optional>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"

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
    end_sessions(stores);
    const auto broken = worker.session->exchange(request);
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

  TEST_CASE("L6: a client's session comes back by itself") {
    PostgresUnderTest stores;
    TestWorker(stores).loads(one_step());
    const auto client = stores.client_session();
    end_sessions(stores);
    CHECK(client->runs({}).error().code == ErrorCode::unavailable);
    CHECK(must(client->runs({})).empty());
  }

  TEST_CASE("a start is in doubt when its session broke and not when there was none") {
    std::optional<PostgresUnderTest> stores(std::in_place);
    TestWorker(*stores).loads(one_step());
    const auto client = stores->client_session();
    end_sessions(*stores);
    CHECK(client->start("order", {Json()}, {}).error().code == ErrorCode::in_doubt);
    stores.reset();  // the database goes with it
    CHECK(client->start("order", {Json()}, {}).error().code == ErrorCode::unavailable);
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
