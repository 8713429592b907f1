#include <string>

#include <doctest/doctest.h>

#include "bench/plots/charts.hpp"
#include "bench/plots/markdown.hpp"

namespace weir::bench {
namespace {

Results results_of(const char* json) {
  Results results;
  results.add(json);
  return results;
}

const char* const engine = R"([
{"machine":["a machine"]},
{"work":"1-step runs","side":"Weir","unit":"tasks/s","ratio":null,"left_out":null,
 "median":{"per_s":30000,"server_us":25},"rounds":[]},
{"work":"1-step runs","side":"floor","unit":"tasks/s","ratio":0.5,"left_out":null,
 "median":{"per_s":60000},"rounds":[]},
{"work":"1-step runs","side":"a & b","unit":"tasks/s","ratio":null,"left_out":"it failed",
 "median":{},"rounds":[]},
{"work":"idle latency","side":"Weir","unit":"ms","ratio":null,"left_out":null,
 "median":{"p50_ms":1.25,"p99_ms":4},"rounds":[]}
])";

const char* const growth = R"([
{"machine":["a machine"]},
{"table":"finished runs, 1 step","case":"0","median":{"server_us":20,"wal_bytes":1000},"rounds":[]},
{"table":"finished runs, 1 step","case":"1000000","median":{"server_us":25},"rounds":[]},
{"table":"parked runs","case":"10","median":{"server_us":400},"rounds":[]}
])";

}  // namespace

TEST_SUITE("bench: plots") {
  TEST_CASE("a figure has three digits that count, and its thousands stand apart") {
    CHECK(number_text(0) == "0");
    CHECK(number_text(0.0041) == "0.004");
    CHECK(number_text(1.256) == "1.26");
    CHECK(number_text(25.04) == "25.0");
    CHECK(number_text(9999.4) == "9999");
    CHECK(number_text(9999.6) == "10,000");
    CHECK(number_text(1234567) == "1,234,567");
    CHECK(number_text(-123456) == "-123,456");
  }

  TEST_CASE("a side that was left out has no bar") {
    const auto chart = throughput_chart(results_of(engine));
    REQUIRE(chart.groups.size() == 1);
    CHECK(chart.groups[0].title == "1-step runs, tasks/s");
    REQUIRE(chart.groups[0].bars.size() == 2);
    CHECK(chart.groups[0].bars[0].tone == BarChart::Tone::ours);
    CHECK(chart.groups[0].bars[1].tone == BarChart::Tone::other);
  }

  TEST_CASE("a latency that was not measured has no bar") {
    const auto chart = latency_chart(results_of(engine));
    REQUIRE(chart.groups.size() == 1);
    REQUIRE(chart.groups[0].bars.size() == 2);
    CHECK(chart.groups[0].bars[1].label == "Weir, p99");
  }

  TEST_CASE("history has a group for each cost that was measured, and no other table") {
    const auto chart = history_chart(results_of(growth));
    REQUIRE(chart.groups.size() == 2);
    CHECK(chart.groups[0].title == "finished runs, 1 step: server, µs a task");
    REQUIRE(chart.groups[0].bars.size() == 2);
    CHECK(chart.groups[0].bars[1].label == "1,000,000");
    CHECK(history_chart(results_of(engine)).groups.empty());
  }

  TEST_CASE("the longest bar of a group is as long as there is room, the others in proportion") {
    const BarChart chart{.title = "a < b",
                         .caption = "",
                         .groups = {{.title = "one", .bars = {{"x", 10}, {"y", 5}, {"z", 0}}},
                                    {.title = "two", .bars = {{"x", 1'000}}}}};
    const std::string svg = chart.svg();
    CHECK(svg.find("a &lt; b") != std::string::npos);
    CHECK(svg.find("width=\"370.0\"") != svg.rfind("width=\"370.0\""));  // one in each group
    CHECK(svg.find("width=\"185.0\"") != std::string::npos);
    CHECK(svg.find("width=\"1.0\"") != std::string::npos);
  }

  TEST_CASE("a table has the columns that were measured, and Weir's ratio to the others") {
    CHECK(markdown(results_of(engine)) ==
          "| 1-step runs | a second | ratio | server, µs |\n"
          "| --- | ---: | ---: | ---: |\n"
          "| Weir | 30,000 |  | 25.0 |\n"
          "| floor | 60,000 | 0.50 |  |\n"
          "\n"
          "| idle latency | p50, ms | p99, ms |\n"
          "| --- | ---: | ---: |\n"
          "| Weir | 1.25 | 4.00 |\n"
          "\n"
          "a machine  \n");
  }
}

}  // namespace weir::bench
