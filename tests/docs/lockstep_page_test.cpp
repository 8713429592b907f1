// What docs/lockstep.md shows, taken from the page as it stands, does what the page says.
#include "lockstep_page.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

namespace {

std::string page() {
  std::ifstream file(WEIR_SOURCE_DIR "/docs/lockstep.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_SUITE("docs: lockstep") {
  TEST_CASE("the report on the page is the one that its example gives") {
    const weir::lockstep::LeaksIgnored ignored;  // what fails is left where it stands
    const std::string report = to_string(explored());
    CHECK_MESSAGE(page().find("```text\n" + report + "```") != std::string::npos, report);
  }

  TEST_CASE("the token on the page repeats the failure on the page") {
    const weir::lockstep::LeaksIgnored ignored;
    const weir::lockstep::Report report = again();
    REQUIRE(report.failure);
    CHECK(report.failure->message == "the file was opened twice");
  }

  TEST_CASE("the history on the page shows the same bug") {
    const weir::lockstep::LeaksIgnored ignored;
    const auto report = weir::lockstep::explore({}, answers_are_those_of_one_thread);
    REQUIRE(report.failure);
    CHECK(report.failure->message == "no order explains the answers");
  }

  TEST_CASE("the class on the page works with the standard library's primitives") {
    OpenFiles<> files;
    CHECK(files.open("a") == 1);
    CHECK(files.open("b") == 2);
    CHECK(files.open("a") == 1);
    CHECK(files.opened() == 2);
  }
}
