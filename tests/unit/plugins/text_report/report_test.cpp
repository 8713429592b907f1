#include "plugins/text_report/report.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using text_report::FileCount;
using text_report::Outcome;
using text_report::ranked;
using text_report::Report;

std::string order(const Report& report) {
  std::string paths;
  for (const auto& file : report.files) paths += file.path + " ";
  return paths;
}

}  // namespace

TEST_SUITE("plugins: report") {
  TEST_CASE("most words come first and ties by the bytes of the path") {
    CHECK(order(ranked({{"b", FileCount{5, 1, 9, {}}, {}},
                        {"\xC3\xA9", FileCount{7, 1, 9, {}}, {}},
                        {"z", FileCount{7, 9, 99, {}}, {}},
                        {"a", FileCount{5, 2, 3, {}}, {}},
                        {"B", FileCount{5, 1, 9, {}}, {}}})) == "z \xC3\xA9 B a b ");
  }

  TEST_CASE("a skipped file is in no total") {
    const Report report = ranked({{"a", FileCount{5, 1, 90, {{"weir", 3}}}, {}},
                                  {"gone", {}, "it vanished"},
                                  {"b", FileCount{7, 2, 80, {}}, {}}});
    CHECK(report.total.files == 2);
    CHECK(report.total.words == 12);
    CHECK(report.total.lines == 3);
    CHECK(report.total.bytes == 170);
    CHECK(report.files.back().terms == text_report::TermCount::Ranked{{"weir", 3}});
    REQUIRE(report.skipped.size() == 1);
    CHECK(report.skipped[0].path == "gone");
    CHECK(report.skipped[0].error == "it vanished");
  }

  TEST_CASE("no files make an empty report") {
    const Report report = ranked({});
    CHECK(report.files.empty());
    CHECK(report.skipped.empty());
    CHECK(report.total.files == 0);
  }
}
