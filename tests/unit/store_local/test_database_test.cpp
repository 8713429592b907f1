#include "support/test_database.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/admin_session.hpp"

using weir::testing::AdminSession;
using weir::testing::DatabaseTemplate;
using weir::testing::TestDatabase;
using Rows = std::vector<std::string>;

TEST_SUITE("tests: databases") {
  TEST_CASE("a process has one database") {
    AdminSession(weir::testing::database()).run("create table mine()");
    CHECK(AdminSession(weir::testing::database()).run("select * from mine") == Rows{});
  }

  TEST_CASE("a second database knows nothing of the first") {
    AdminSession(weir::testing::database()).run("create table mine()");
    const TestDatabase other;
    CHECK(AdminSession(other.url()).run("select to_regclass('mine') is null") == Rows{"t"});
  }

  TEST_CASE("a template is prepared once for its key") {
    const std::string& key = weir::testing::database();  // new for every run of this test
    int prepared = 0;
    const DatabaseTemplate pattern{.key = key, .prepare = [&](const std::string& url) {
                                     ++prepared;
                                     AdminSession(url).run("create table given as select 7 as x");
                                   }};
    const TestDatabase first(pattern);
    const TestDatabase second(pattern);
    AdminSession(first.url()).run("update given set x = 8");
    CHECK(AdminSession(second.url()).run("select x from given") == Rows{"7"});
    CHECK(prepared == 1);
  }

  TEST_CASE("a template whose preparation failed is prepared again") {
    const std::string key = weir::testing::database() + "/failing";
    const DatabaseTemplate failing{
        .key = key, .prepare = [](const std::string& url) { AdminSession(url).run("no sql"); }};
    CHECK_THROWS(TestDatabase(failing));
    const TestDatabase mended({.key = key, .prepare = [](const std::string& url) {
                                 AdminSession(url).run("create table given()");
                               }});
    CHECK(AdminSession(mended.url()).run("select * from given") == Rows{});
  }

  TEST_CASE("a database goes with its object") {
    std::string name;
    {
      const TestDatabase one;
      name = AdminSession(one.url()).run("select current_database()").front();
    }
    CHECK(AdminSession(weir::testing::database())
              .run("select 1 from pg_database where datname = '" + name + "'") == Rows{});
  }
}
