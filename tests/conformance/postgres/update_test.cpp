// What the tables that every call of a worker writes cost beside the rows themselves.
#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;

TEST_SUITE("postgres: updates") {
  TEST_CASE("no table that workers write with every call has a trigger") {
    const PostgresUnderTest stores;
    CHECK(stores.sql("select t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
                     "where c.relnamespace = 'weir'::regnamespace and not t.tgisinternal and "
                     "(c.relname in ('open_run', 'run', 'worker') or c.relname like 'journal%')") ==
          std::vector<std::string>{});
  }

  TEST_CASE("runs that complete together change no index of runs") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    worker.loads(one_step());
    const auto client = stores.client_session();
    must(client->start("totals", std::vector<Json>(300), {}));
    REQUIRE(worker.claim(300).size() == 300);

    AdminSession admin(stores.url());
    admin.run("begin");
    admin.run(fmt::format(
        "select weir.record_runs({}, clock_timestamp(), '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', "
        "'{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', array_agg(run_id), "
        "array_agg(1::smallint), array_agg('7'::text), array_agg(null::text), "
        "array_agg(null::smallint), array_agg(null::text), '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', "
        "'{{}}') from weir.open_run",
        worker.id));
    CHECK(admin.run("select format('%s ended, %s in place', "
                    "pg_stat_get_xact_tuples_updated('weir.run'::regclass), "
                    "pg_stat_get_xact_tuples_hot_updated('weir.run'::regclass))") ==
          std::vector<std::string>{"300 ended, 300 in place"});
    admin.run("commit");
    CHECK(stores.sql("select distinct status from weir.runs") ==
          std::vector<std::string>{"completed"});
  }
}
