// Limits: what takes SQL of its own to set up or to see.
#include <fmt/format.h>

#include "conformance/limits.hpp"
#include "conformance/postgres/postgres_under_test.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
using Rows = std::vector<std::string>;

namespace {

// How many open runs a call of weir.settle_limits() reads.
int reads_of_settling(const PostgresUnderTest& stores) {
  AdminSession session(stores.url());
  session.run("begin");
  session.run("select weir.settle_limits()");
  return std::stoi(session
                       .run("select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from "
                            "pg_stat_xact_user_tables where relname = 'open_run'")
                       .front());
}

}  // namespace

TEST_SUITE("postgres: limits") {
  TEST_CASE("C6: a hundred thousand runs of a full key hide no other key") {
    PostgresUnderTest stores;
    Limits a(stores);
    a.set({.key = "/customer", .key_max_running = 1});
    stores.sql(
        "select count(*) from weir.start_many('totals', array_fill('{\"customer\": "
        "\"a\"}'::jsonb, array[100000]))");
    a.start({"b", "c"});
    AdminSession(stores.url()).run("vacuum analyze weir.open_run");
    CHECK(customers(a.worker.claim(1)) == "a");
    const auto begin = std::chrono::steady_clock::now();
    CHECK(customers(a.worker.claim(10)) == "bc");
    CHECK(a.worker.claim(10).empty());
    const auto took = std::chrono::steady_clock::now() - begin;
    MESSAGE(
        "two claims took " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
                           << " ms");
    CHECK(took < 5s);  // 10 ms or so, where the machine does not stand still
  }

  TEST_CASE("C6: every open run has its key once all who knew nothing of it are gone") {
    PostgresUnderTest stores;
    Limits a(stores);
    AdminSession before(stores.url());
    before.run("begin");
    before.run(
        "select count(*) from weir.start_many('totals', array_fill('{\"customer\": "
        "\"a\"}'::jsonb, array[700]))");
    a.start({"b", "c"});
    a.set({.key = "/customer", .key_max_running = 700});
    CHECK(stores.sql("select weir.settle_limits()") == Rows{"1"});
    CHECK(reads_of_settling(stores) ==
          0);  // nothing is read again until the old transaction has ended
    before.run("commit");
    stores.sql("select weir.settle_limits()");
    CHECK(eventually([&] { return stores.sql("select weir.settle_limits()") == Rows{"0"}; }));
    CHECK(stores.sql("select count(*) from weir.open_run where limit_key = '=a'") == Rows{"700"});
  }

  TEST_CASE("C6: what a command set gives way to what flows.yaml says and not to its silence") {
    PostgresUnderTest stores;
    Limits a(stores);
    stores.sql("select weir.set_limits('totals', max_running => 2)");
    a.set({});
    CHECK(stores.sql("select max_running from weir.limits") == Rows{"2"});
    a.set({.max_running = 5});
    CHECK(stores.sql("select max_running from weir.limits") == Rows{"5"});
    a.set({});
    CHECK(stores.sql("select max_running from weir.limits") == Rows{});
  }

  TEST_CASE("C6: the limits are shown with how many runs are held, and gone once none is set") {
    PostgresUnderTest stores;
    Limits a(stores);
    a.set({.max_running = 3});
    must(a.client->start("totals", std::vector<Json>(10), {}));
    a.worker.claim(10);
    CHECK(stores.sql("select running from weir.limits") == Rows{"3"});
    a.set({});
    CHECK(stores.sql("select count(*) from weir.limits") == Rows{"0"});
  }
}
