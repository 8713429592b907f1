#include <algorithm>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/schema_files.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

TEST_SUITE("postgres: comments") {
  TEST_CASE("every table and view of the schema has a comment") {
    const PostgresUnderTest stores;
    CHECK(stores.sql("select relname from pg_class where relnamespace = 'weir'::regnamespace and "
                     "relkind in ('r', 'p', 'v') and not relispartition and "
                     "coalesce(obj_description(oid, 'pg_class'), '') = '' order by 1") == Rows{});
  }

  TEST_CASE("every column of a view has a comment") {
    const PostgresUnderTest stores;
    CHECK(stores.sql("select c.relname || '.' || a.attname from pg_class c join pg_attribute a on "
                     "a.attrelid = c.oid where c.relnamespace = 'weir'::regnamespace and c.relkind "
                     "= 'v' and a.attnum > 0 and coalesce(col_description(c.oid, a.attnum), '') = "
                     "'' order by 1") == Rows{});
  }

  TEST_CASE("every function of the schema has a comment") {
    const PostgresUnderTest stores;
    CHECK(
        stores.sql("select oid::regprocedure from pg_proc where pronamespace = 'weir'::regnamespace"
                   " and coalesce(obj_description(oid, 'pg_proc'), '') = '' order by 1") == Rows{});
  }

  TEST_CASE("every file of functions and views makes the one thing it is named after") {
    const PostgresUnderTest stores;
    const auto names = [](const std::vector<postgres::SqlFile>& files) {
      Rows found;
      for (const postgres::SqlFile& file : files) found.push_back(file.name);
      std::ranges::sort(found);
      return found;
    };
    CHECK(stores.sql("select proname from pg_proc where pronamespace = 'weir'::regnamespace order "
                     "by proname collate \"C\"") == names(postgres::functions()));
    CHECK(stores.sql("select relname from pg_class where relnamespace = 'weir'::regnamespace and "
                     "relkind = 'v' order by relname collate \"C\"") == names(postgres::views()));
  }
}
