#include "cli/log.hpp"

#include <doctest/doctest.h>

#include "store/postgres/sql_error.hpp"

using namespace weir::cli;

TEST_SUITE_BEGIN("cli: what others read");

TEST_CASE("a log line in JSON is one line whatever the message") {
  CHECK(json_log_line("2026-11-21T12:00:00.000Z", "info", "a \"quote\"\nand \xff") ==
        "{\"time\":\"2026-11-21T12:00:00.000Z\",\"level\":\"info\",\"message\":\"a "
        "\\\"quote\\\"\\nand \uFFFD\"}");
}

TEST_CASE("no message passes for another line of the text log and none controls the terminal") {
  CHECK(text_log_line("run 1: s says \x1b[2J\n2026-11-21T12:00:00.000Z info weir stopped") ==
        "run 1: s says \\u001b[2J\n    2026-11-21T12:00:00.000Z info weir stopped");
}

TEST_CASE("a password in a database's URL is never shown") {
  CHECK(weir::postgres::without_password("postgresql://weir:s3cret@db:5432/weir") ==
        "postgresql://weir:***@db:5432/weir");
  CHECK(weir::postgres::without_password("postgresql://weir:p@ss@db/weir") ==
        "postgresql://weir:***@db/weir");
  CHECK(weir::postgres::without_password("postgresql://weir@db:5432/weir") ==
        "postgresql://weir@db:5432/weir");
  CHECK(weir::postgres::without_password("postgresql://db:5432/weir") ==
        "postgresql://db:5432/weir");
  CHECK(weir::postgres::without_password("postgresql://db/weir?password=s3cret&sslmode=require") ==
        "postgresql://db/weir?password=***&sslmode=require");
}
