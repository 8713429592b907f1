// What docs/plugins.md shows, taken from the page as it stands, does what the page says.
#include "plugins_page.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

TEST_SUITE("docs: plugins") {
  TEST_CASE("the test on the page takes three attempts and completes") {
    const auto run = tested();
    CHECK(run.output() == R"({"sum":7})");
    CHECK(run.attempts("fetch").size() == 3);
    CHECK(run.attempts("sum").size() == 1);
  }

  TEST_CASE("the flow on the page does without the stand-in") {
    weir::testing::FlowRunner flow(weir_plugin_v1, "order_sum");
    CHECK(flow.run(R"({"id": 1, "prices": [3, 4]})").output() == R"({"sum":7})");
    CHECK(flow.run(R"({"id": 1, "prices": []})").attempts("fetch").at(0).error_code ==
          "empty_order");
  }
}
