#include "store/postgres/migrate.hpp"

#include <algorithm>
#include <thread>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

#include "conformance/test_worker.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/schema_state.hpp"
#include "support/admin_session.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

const int newest = postgres::program_schema().number();

// Everything the schema holds, as one number.
Rows schema_sum(AdminSession& user) {
  return user.run(
      "select md5(string_agg(d, ',' order by d)) from ("
      " select pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = 'weir'::regnamespace"
      " union all select pg_get_viewdef(c.oid) from pg_class c"
      "  where c.relnamespace = 'weir'::regnamespace and c.relkind = 'v'"
      " union all select format('%s.%s %s', a.attrelid::regclass, a.attname, a.atttypid::regtype)"
      "  from pg_attribute a join pg_class c on c.oid = a.attrelid"
      "  where c.relnamespace = 'weir'::regnamespace and a.attnum > 0) as x(d)");
}

}  // namespace

TEST_SUITE("postgres: migrations") {
  TEST_CASE("an empty database is brought to where the program stands") {
    const TestDatabase database;
    const SchemaState empty = must(postgres::schema_state(database.url()));
    CHECK(empty.database == 0);
    CHECK(empty.lack.value().kind == "not_migrated");
    CHECK(empty.lack.value().hint == "run: weir migrate");
    const MigrationReport report = must(postgres::migrate(database.url()));
    CHECK(report.before == 0);
    CHECK(report.after == newest);
    REQUIRE(static_cast<int>(report.applied.size()) == newest);
    CHECK(report.applied[0] == "0001_runs");
    const SchemaState state = must(postgres::schema_state(database.url()));
    CHECK(state.database == newest);
    CHECK(state.current());
    CHECK_FALSE(state.lack.has_value());
    CHECK(state.remark == "");
  }

  TEST_CASE("looking changes nothing") {
    const TestDatabase database;
    must(postgres::schema_state(database.url()));
    CHECK(must(postgres::plan_migration(database.url())).report.after == newest);
    CHECK(AdminSession(database.url())
              .run("select 1 from pg_namespace where nspname = 'weir'")
              .empty());
  }

  TEST_CASE("where there is nothing to do nothing is locked") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    AdminSession holder(database.url());
    holder.run("begin");
    holder.run("select pg_advisory_xact_lock(hashtextextended('weir migrate', 0))");
    holder.run("lock table weir.migration in share row exclusive mode");
    const MigrationReport again = must(postgres::migrate(database.url()));
    CHECK(again.before == newest);
    CHECK(again.applied.empty());
  }

  TEST_CASE("programs that migrate at once apply each migration once") {
    const TestDatabase database;
    std::vector<Result<MigrationReport>> reports(8);
    {
      std::vector<std::jthread> threads;
      for (auto& report : reports)
        threads.emplace_back([&] { report = postgres::migrate(database.url()); });
    }
    std::size_t applied = 0;
    for (const auto& report : reports) {
      CHECK(must(report).after == newest);
      applied += must(report).applied.size();
    }
    CHECK(applied == postgres::program_schema().migrations.size());
    CHECK(AdminSession(database.url()).run("select count(*) from weir.migration") ==
          Rows{std::to_string(newest)});
  }

  TEST_CASE("a database newer than the program is refused and left as it is") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    AdminSession user(database.url());
    user.run("insert into weir.migration (number, name) values (999, '0999_later')");
    user.run("create or replace function weir.sweep() returns integer language sql as 'select 7'");
    user.run("update weir.schema_code set sha256 = 'of the newer program'");
    const Rows before = schema_sum(user);
    const auto refused = postgres::migrate(database.url());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::conflict);
    CHECK(refused.error().kind == "database_newer");
    CHECK(refused.error().message ==
          fmt::format("the schema of database \"{}\" has number 999, this program has {}",
                      user.run("select current_database()").at(0), newest));
    CHECK(refused.error().hint == "a newer Weir has migrated it: use that one or a later one");
    CHECK(schema_sum(user) == before);
    CHECK(postgres::plan_migration(database.url()).error() == refused.error());
    CHECK(must(postgres::schema_state(database.url())).database == 999);
    CHECK_FALSE(must(postgres::schema_state(database.url())).current());
  }

  TEST_CASE("functions and views are applied anew when they differ from the program's") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    AdminSession user(database.url());
    const Rows right = schema_sum(user);
    user.run("create or replace function weir.sweep() returns integer language sql as 'select 7'");
    user.run("update weir.schema_code set sha256 = 'of another program'");
    CHECK(schema_sum(user) != right);
    const MigrationReport report = must(postgres::migrate(database.url()));
    CHECK(report.applied.empty());
    CHECK(schema_sum(user) == right);
  }

  TEST_CASE("what is kept survives when functions and views are applied anew") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    AdminSession user(database.url());
    user.run("insert into weir.flow (slug) values ('kept')");
    user.run("create view public.mine as select run_id, status from weir.runs");
    user.run("update weir.schema_code set sha256 = 'of another program'");
    must(postgres::migrate(database.url()));
    CHECK(user.run("select slug from weir.flow") == Rows{"kept"});
    CHECK(user.run("select * from public.mine").empty());
  }

  TEST_CASE("views and functions whose columns or arguments changed are made anew") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    AdminSession user(database.url());
    const Rows right = schema_sum(user);
    user.run("drop view weir.runs");
    user.run("create view weir.runs as select 1 as other, 2 as columns");
    user.run("drop function weir.retry(uuid)");
    user.run("create function weir.retry(run_id uuid) returns text language sql as 'select null'");
    user.run("create function weir.pause(a integer) returns integer language sql as 'select 1'");
    user.run("create function weir.forgotten() returns integer language sql as 'select 1'");
    user.run("update weir.schema_code set sha256 = 'of another program'");
    must(postgres::migrate(database.url()));
    CHECK(schema_sum(user) == right);
  }

  TEST_CASE("what a user built upon a view that must be made anew is named and left alone") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    AdminSession user(database.url());
    user.run("drop view weir.workers");
    user.run("create view weir.workers as select 1 as other");
    user.run("create view public.mine as select other from weir.workers");
    user.run("update weir.schema_code set sha256 = 'of another program'");
    const auto refused = postgres::migrate(database.url());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::conflict);
    CHECK(refused.error().kind == "depended_upon");
    CHECK(user.run("select other from public.mine") == Rows{"1"});
    user.run("drop view public.mine");
    must(postgres::migrate(database.url()));
    CHECK(user.run("select count(*) from weir.workers") == Rows{"0"});
  }

  TEST_CASE("what a user granted stays when nothing but code changed") {
    const TestDatabase database;
    must(postgres::migrate(database.url()));
    AdminSession user(database.url());
    user.run("grant select on weir.runs to public");
    user.run("update weir.schema_code set sha256 = 'of another program'");
    must(postgres::migrate(database.url()));
    CHECK(user.run("select has_table_privilege('weir_worker', 'weir.runs', 'select')") ==
          Rows{"t"});
  }

  TEST_CASE("a database user who may not make roles migrates all the same") {
    const TestDatabase database;
    const std::string role = fmt::format("weir_test_owner_{}", getpid());
    AdminSession admin(database.url());
    admin.run(fmt::format("create role {}", role));
    admin.run(fmt::format(
        "do $$ begin execute format('grant create on database %I to {}', current_database()); "
        "end $$",
        role));
    const std::string url =
        database.url() + (database.url().contains('?') ? "&" : "?") + "options=-c%20role%3D" + role;
    const auto migrated = postgres::migrate(url);
    const auto client = postgres::open_run_store(url);
    const auto runs = client ? (*client)->runs({}) : std::unexpected(client.error());
    admin.run(fmt::format("drop owned by {} cascade", role));
    admin.run(fmt::format("drop role {}", role));
    CHECK(must(migrated).after == newest);
    CHECK(must(runs).empty());
  }

  TEST_CASE("a migration that fails leaves nothing behind") {
    const TestDatabase database;
    AdminSession user(database.url());
    user.run("create schema weir");
    user.run("create table weir.plugin(mine integer)");
    const auto failed = postgres::migrate(database.url());
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().message == "relation \"plugin\" already exists");
    CHECK(user.run("select relname from pg_class where relnamespace = 'weir'::regnamespace") ==
          Rows{"plugin"});
  }

  TEST_CASE("a database user without rights is told so") {
    const TestDatabase database;
    const std::string role = fmt::format("weir_test_{}", getpid());
    AdminSession admin(database.url());
    admin.run(fmt::format("create role {}", role));
    const std::string url =
        database.url() + (database.url().contains('?') ? "&" : "?") + "options=-c%20role%3D" + role;
    const auto refused = postgres::migrate(url);
    admin.run(fmt::format("drop role {}", role));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().kind == "no_permission");
    CHECK(refused.error().message.starts_with("permission denied for database "));
  }

  TEST_CASE("a database that was never migrated says what to do") {
    const TestDatabase database;
    const auto client = must(postgres::open_run_store(database.url()));
    const auto started = client->start("totals", {Json()}, {});
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().code == ErrorCode::unavailable);
    CHECK(started.error().kind == "not_migrated");
    CHECK(started.error().hint == "run: weir migrate");
    must(postgres::migrate(database.url()));
    CHECK(client->start("totals", {Json()}, {}).error().code == ErrorCode::not_found);
  }
}
