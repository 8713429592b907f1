#include "store/postgres/sql_error.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>
#include <libpq-fe.h>
#include <locale.h>
#include <stdlib.h>

using namespace weir;
using namespace weir::postgres;

namespace {

/// While it exists, this program speaks German, if libpq's translations are installed.
class InGerman {
 public:
  InGerman() {
    ::setenv("LANGUAGE", "de", 1);
    ::setlocale(LC_MESSAGES, "C.UTF-8");  // not "C", which is never translated
  }
  InGerman(const InGerman&) = delete;
  InGerman& operator=(const InGerman&) = delete;
  ~InGerman() {
    ::setlocale(LC_MESSAGES, "C");
    ::unsetenv("LANGUAGE");
  }

  bool has_translations() const {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> none(PQconnectdb("host=/nowhere"), PQfinish);
    return std::string_view(PQerrorMessage(none.get())).starts_with("Verbindung");
  }
};

}  // namespace

TEST_SUITE("postgres: errors") {
  TEST_CASE("message and hint are those of the server") {
    const Error error = sql_error(
        "WR001", "ERROR:  worker 7 has lost its lease\nHINT:  come back\nCONTEXT:  PL/pgSQL\n");
    CHECK(error == Error{.code = ErrorCode::lease_lost,
                         .kind = "lease_lost",
                         .message = "worker 7 has lost its lease",
                         .hint = "come back"});
  }

  TEST_CASE("our own hint stands where the server has none") {
    const Error error =
        sql_error("42P01", "ERROR:  relation \"weir.run\" does not exist\nLINE 1: …\n");
    CHECK(error == Error{.code = ErrorCode::unavailable,
                         .kind = "not_migrated",
                         .message = "relation \"weir.run\" does not exist",
                         .hint = "run: weir migrate"});
  }

  TEST_CASE("a server in another language is understood") {
    CHECK(sql_error("22P02", "FEHLER:  ungültige Eingabe\nTIP:  so nicht\n").message ==
          "ungültige Eingabe");
  }

  TEST_CASE("a program in another language finds the hint" *
            doctest::skip(!InGerman().has_translations())) {
    const InGerman german;
    const Error error = sql_error(
        "WR001", "FEHLER:  weg\nDETAIL:  ganz\nTIP:  wieder beitreten\nKONTEXT:  PL/pgSQL\n");
    CHECK(error.message == "weg");
    CHECK(error.hint == "wieder beitreten");
  }

  TEST_CASE("a text without severity is the message") {
    CHECK(sql_error("", "server closed the connection").message == "server closed the connection");
  }

  TEST_CASE("what nobody foresaw is internal and shows its SQLSTATE") {
    const Error error = sql_error("XX000", "ERROR:  unexpected chunk number\n");
    CHECK(error.code == ErrorCode::internal);
    CHECK(error.kind == "sql_XX000");
    CHECK(error.hint == "");
  }

  TEST_CASE("a plan that weir migrate has made stale is tried again") {
    for (const auto& [sqlstate, text] :
         {std::pair("XX000", "ERROR:  cache lookup failed for function 16735\n"),
          std::pair("0A000", "ERROR:  cached plan must not change result type\n")}) {
      const Error error = sql_error(sqlstate, text);
      CHECK(error.code == ErrorCode::unavailable);
      CHECK(error.kind == stale_plan);
    }
    CHECK(sql_error("0A000", "ERROR:  no such feature\n").code == ErrorCode::internal);
  }

  TEST_CASE("passwords are replaced wherever they stand") {
    const std::pair<const char*, const char*> cases[] = {
        {"postgresql://anna:geheim@host/db", "postgresql://anna:***@host/db"},
        {"postgres://anna:ge:heim@host:5432/db?sslmode=require",
         "postgres://anna:***@host:5432/db?sslmode=require"},
        {"postgresql://anna:ge@heim@host/db", "postgresql://anna:***@host/db"},
        {"postgresql://:geheim@host/db", "postgresql://:***@host/db"},
        {"postgresql://host/db?user=anna&password=geheim&port=1",
         "postgresql://host/db?user=anna&password=***&port=1"},
        {"postgresql//anna:geheim@host/db", "postgresql//anna:***@host/db"},
        {"host=h password=geheim dbname=d", "host=h password=*** dbname=d"},
        {"host=h password = 'ge heim' dbname=d", "host=h password = *** dbname=d"},
        {R"(password='ge\'heim' host=h)", "password=*** host=h"},
        {"sslpassword=geheim host=h", "sslpassword=*** host=h"},
    };
    for (const auto& [url, shown] : cases) CHECK(without_password(url) == shown);
  }

  TEST_CASE("what has no password is shown as it is") {
    for (const char* url : {"postgresql://anna@host:5432/db", "postgresql://host:5432/db",
                            "postgresql:///db?host=/run/weir", "host=/run/weir dbname=d", ""})
      CHECK(without_password(url) == url);
  }

  TEST_CASE("a connection's error tells what to mend") {
    const auto described = [](std::string_view text) {
      const Error error = connection_error("postgresql://anna:geheim@h/db", text);
      CHECK(error.code == ErrorCode::unavailable);
      return error.kind + ": " + to_string(error);
    };
    CHECK(described("FATAL:  password authentication failed for user \"anna\"\n") ==
          "access_denied: cannot reach the database postgresql://anna:***@h/db: FATAL:  password "
          "authentication failed for user \"anna\" (check user and password of the database URL)");
    CHECK(
        described("FATAL:  database \"db\" does not exist\n") ==
        "no_such_database: cannot reach the database postgresql://anna:***@h/db: FATAL:  database "
        "\"db\" does not exist (create it, or fix the database URL)");
    CHECK(
        described("could not connect to server: Connection refused\n\tIs the server running?\n") ==
        "database_away: cannot reach the database postgresql://anna:***@h/db: could not connect to "
        "server: Connection refused  Is the server running? (is the server up, and the database "
        "URL right?)");
  }

  TEST_CASE("a server without a free connection is no wrong URL") {
    for (const char* const text : {"FATAL:  sorry, too many clients already\n",
                                   "FATAL:  remaining connection slots are reserved for roles with "
                                   "the SUPERUSER attribute\n",
                                   "FATAL:  too many connections for role \"anna\"\n"}) {
      const Error error = connection_error("postgresql://h/db", text);
      CHECK(error.kind == "server_full");
      CHECK(error.hint.starts_with("all connection slots are taken: "));
    }
    CHECK(sql_error("53300", "too many").kind == "server_full");
  }

  TEST_CASE("no password comes back with what the client library says of a bad URL") {
    CHECK_FALSE(to_string(connection_error(
                              "postgresql//anna:geheim@h/db",
                              "missing \"=\" after \"postgresql//anna:geheim@h/db\" in connection "
                              "info string\n"))
                    .contains("geheim"));
  }
}
