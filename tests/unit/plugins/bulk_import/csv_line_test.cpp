#include "plugins/bulk_import/csv_line.hpp"

#include <doctest/doctest.h>

using bulk_import::csv_fields;
using Fields = std::vector<std::string>;

TEST_SUITE("plugins: bulk_import") {
  TEST_CASE("fields stand between commas and quotes may hold them") {
    CHECK(csv_fields("a,b") == Fields{"a", "b"});
    CHECK(csv_fields("") == Fields{""});
    CHECK(csv_fields("a,,") == Fields{"a", "", ""});
    CHECK(csv_fields(R"("a, b",c)") == Fields{"a, b", "c"});
    CHECK(csv_fields(R"("say ""hi""",2)") == Fields{R"(say "hi")", "2"});
  }

  TEST_CASE("a line with a stray quote is told") {
    CHECK(csv_fields("\"a").error() == "a quote that is not closed");
    CHECK(csv_fields("a\"b\"").error() == "a quote within a field");
  }
}
