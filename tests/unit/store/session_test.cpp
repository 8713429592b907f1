#include "store/postgres/session.hpp"

#include <string>

#include <doctest/doctest.h>

#include "store/postgres/notice_log.hpp"
#include "store/postgres/sql_error.hpp"
#include "support/admin_session.hpp"
#include "support/log_lines.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::postgres;

namespace {

std::unique_ptr<Session> opened() {
  auto session = Session::open(weir::testing::database());
  REQUIRE(session.has_value());
  return *std::move(session);
}

}  // namespace

TEST_SUITE("postgres: sessions") {
  TEST_CASE("what the server says beside its answers goes to the log") {
    const weir::testing::LogLines lines;
    log_notices(lines.log(LogLevel::debug));
    const auto session = opened();
    const auto said = session->transact([](pqxx::work& work) {
      work.exec("do $$ begin raise warning 'two\nlines'; end $$");
      work.exec("do $$ begin raise notice 'quiet'; end $$");
    });
    log_notices(nullptr);
    CHECK(said.has_value());
    CHECK(lines.with_levels() == "info: database: WARNING:  two\nlines\n");
  }

  TEST_CASE("every error of the server says what the caller can do about it") {
    struct Case {
      const char* sqlstate;
      ErrorCode code;
      const char* kind;
    };
    const Case cases[] = {
        {"WR001", ErrorCode::lease_lost, "lease_lost"},
        {"WR002", ErrorCode::not_found, "not_found"},
        {"WR003", ErrorCode::invalid_input, "invalid_input"},
        {"WR004", ErrorCode::conflict, "duplicate_slug"},
        {"22003", ErrorCode::invalid_input, "invalid_input"},
        {"22P02", ErrorCode::invalid_input, "invalid_input"},
        {"23505", ErrorCode::conflict, "already_exists"},
        {"25006", ErrorCode::unavailable, "read_only"},
        {"28P01", ErrorCode::unavailable, "access_denied"},
        {"40001", ErrorCode::unavailable, "try_again"},
        {"40003", ErrorCode::in_doubt, "in_doubt"},
        {"40P01", ErrorCode::unavailable, "try_again"},
        {"42501", ErrorCode::unavailable, "no_permission"},
        {"42883", ErrorCode::unavailable, "not_migrated"},
        {"53100", ErrorCode::unavailable, "disk_full"},
        {"53200", ErrorCode::unavailable, "server_busy"},
        {"54000", ErrorCode::invalid_input, "too_large"},
        {"55P03", ErrorCode::unavailable, "try_again"},
        {"57014", ErrorCode::unavailable, "try_again"},
        {"58030", ErrorCode::unavailable, "server_fault"},
        {"P0001", ErrorCode::internal, "sql_P0001"},
        {"XX000", ErrorCode::internal, "sql_XX000"},
    };
    const auto session = opened();
    for (const Case& each : cases) {
      CAPTURE(std::string(each.sqlstate));
      const std::string raise =
          std::string("do $$ begin raise exception 'told' using errcode = '") + each.sqlstate +
          "'; end $$";
      const auto done = session->transact([&](pqxx::work& work) { work.exec(raise); });
      REQUIRE_FALSE(done.has_value());
      CHECK(done.error().code == each.code);
      CHECK(done.error().kind == each.kind);
      CHECK(done.error().message == "told");
      CHECK(session->is_open());
    }
  }

  TEST_CASE("a refused statement leaves the session usable") {
    const auto session = opened();
    CHECK_FALSE(session->query("select 1 / $1::int", {"0"}).has_value());
    CHECK(session->query("select 1 / $1::int", {"1"}).value()[0][0].as<int>() == 1);
  }

  TEST_CASE("what a transaction throws undoes all of it") {
    const auto session = opened();
    session->transact([](pqxx::work& work) { work.exec("create table public.kept(x integer)"); })
        .value();
    const auto done = session->transact([](pqxx::work& work) {
      work.exec("insert into public.kept values (1)");
      work.exec("select no_such_column");
    });
    CHECK_FALSE(done.has_value());
    CHECK(session->query("select count(*) from public.kept").value()[0][0].as<int>() == 0);
  }

  TEST_CASE("a statement whose plan became stale is planned and run once more") {
    const auto session = opened();
    weir::testing::AdminSession admin(weir::testing::database());
    admin.run("create table public.replaced (a integer)");
    constexpr const char* statement = "select * from public.replaced";
    CHECK(session->query(statement).value().columns() == 1);
    admin.run("alter table public.replaced add column b integer");
    const auto rows = session->query(statement);
    REQUIRE_MESSAGE(rows.has_value(), rows.error().message);
    CHECK(rows->columns() == 2);

    // What the server says when weir migrate drops a function that a statement is about to call.
    admin.run("create sequence public.calls");
    admin.run(
        "create function public.dropped() returns bigint language plpgsql as $$ begin "
        "if nextval('public.calls') in (1, 3, 4) then raise 'cache lookup failed for function "
        "16735' "
        "using errcode = 'XX000'; end if; return 7; end $$");
    CHECK(session->query("select public.dropped()").value()[0][0].as<int>() == 7);
    CHECK(session->query("select public.dropped() as again").error().kind == stale_plan);
    CHECK(session->is_open());
  }

  TEST_CASE("a stale plan is planned once more whatever the server's language is") {
    const auto session = opened();
    weir::testing::AdminSession admin(weir::testing::database());
    admin.run("create sequence public.calls");
    admin.run(
        "create function public.replaced() returns bigint language plpgsql as $$ begin "
        "if nextval('public.calls') in (1, 3, 4) then "
        "raise 'gecachter Plan darf den Ergebnistyp nicht ändern' using errcode = '0A000'; end if; "
        "return currval('public.calls'); end $$");
    const auto rows = session->query("select public.replaced()");
    REQUIRE_MESSAGE(rows.has_value(), rows.error().message);
    CHECK((*rows)[0][0].as<int>() == 2);
    CHECK(session->query("select public.replaced() as again").error().kind == "sql_0A000");
    CHECK(session->query("select public.replaced() as later").value()[0][0].as<int>() == 5);
  }

  TEST_CASE("a parameter may be NULL or hold any text") {
    const auto session = opened();
    const std::string text = "it's \"quoted\" \\ 漢\n";
    const auto rows = session->query("select $1::text, $2::text", {text, std::nullopt}).value();
    CHECK(rows[0][0].as<std::string>() == text);
    CHECK(rows[0][1].is_null());
  }

  TEST_CASE("a session that was ended says so and is closed") {
    const auto session = opened();
    const auto pid = session->query("select pg_backend_pid()").value()[0][0].as<std::string>();
    weir::testing::AdminSession(weir::testing::database())
        .run("select pg_terminate_backend(" + pid + ", 10000)");
    const auto broken = session->query("select 1");
    REQUIRE_FALSE(broken.has_value());
    CHECK(broken.error().code == ErrorCode::unavailable);
    CHECK(broken.error().kind == "database_away");
    CHECK_FALSE(session->is_open());
    CHECK(session->query("select 1").error().code == ErrorCode::unavailable);
  }
}
