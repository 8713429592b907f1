#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "store/postgres/schema.hpp"

using weir::postgres::program_schema;
using weir::postgres::Schema;

namespace {

std::string file(const std::string& name) {
  std::ifstream in(std::string(WEIR_SOURCE_DIR) + "/" + name, std::ios::binary);
  REQUIRE_MESSAGE(in, name);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Release {
  std::string name, code_digest;
  int number = 0;
};

std::optional<Release> last_release(const std::string& releases) {
  std::optional<Release> last;
  std::istringstream lines(releases);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    Release release;
    std::istringstream(line) >> release.name >> release.number >> release.code_digest;
    last = release;
  }
  return last;
}

// What is wrong with the numbers of a schema after these releases; "" when nothing is.
std::string fault(const Schema& schema, const std::string& releases) {
  const int least = std::max(schema.oldest_program, schema.oldest_database);
  if (least > schema.number()) return "the schema does not work with its own program";
  const auto last = last_release(releases);
  if (!last) return "";
  if (schema.number() < last->number) return "a migration of " + last->name + " is gone";
  if (schema.number() == last->number)
    return last->code_digest == schema.code_digest()
               ? ""
               : fmt::format(
                     "functions, views or roles changed since {} and the number did not: "
                     "add a migration, if only one that says so",
                     last->name);
  if (least > last->number)
    return fmt::format("programs of {} and of this release cannot serve together", last->name);
  return "";
}

}  // namespace

TEST_SUITE("schema: its number") {
  TEST_CASE("M1: what is changed after a release has another number than the release") {
    CHECK(fault(program_schema(), file("schemas/releases")) == "");
  }

  TEST_CASE("M1: a change without a number is found") {
    Schema schema{.migrations = {{"0001_a", ""}, {"0002_b", ""}},
                  .functions = {{"f", "one"}},
                  .views = {},
                  .roles = {},
                  .oldest_program = 1,
                  .oldest_database = 1};
    const std::string released = "# a comment\n0.1.0 2 " + schema.code_digest() + "\n";
    CHECK(fault(schema, "# a comment\n") == "");
    CHECK(fault(schema, released) == "");
    schema.functions[0].text = "two";
    CHECK(fault(schema, released) ==
          "functions, views or roles changed since 0.1.0 and the number did not: add a migration, "
          "if only one that says so");
    schema.migrations.push_back({"0003_c", ""});
    CHECK(fault(schema, released) == "");
    schema.migrations.resize(1);
    CHECK(fault(schema, released) == "a migration of 0.1.0 is gone");
  }

  TEST_CASE("M2: a release that cannot serve together with the one before is found") {
    Schema schema{.migrations = {{"0001_a", ""}, {"0002_b", ""}},
                  .functions = {},
                  .views = {},
                  .roles = {},
                  .oldest_program = 2,
                  .oldest_database = 1};
    CHECK(fault(schema, "0.1.0 1 00\n") ==
          "programs of 0.1.0 and of this release cannot serve together");
    schema.oldest_program = 3;
    CHECK(fault(schema, "") == "the schema does not work with its own program");
  }

  TEST_CASE("every release in CHANGELOG.md is in schemas/releases") {
    const std::string changelog = file("CHANGELOG.md"), releases = file("schemas/releases");
    const std::regex heading(R"(\n## \[?([0-9]+\.[0-9]+\.[0-9]+))");
    for (auto at = std::sregex_iterator(changelog.begin(), changelog.end(), heading);
         at != std::sregex_iterator(); ++at)
      CHECK_MESSAGE(releases.contains("\n" + at->str(1) + " "),
                    fmt::format("add a line to schemas/releases: {} {} {}", at->str(1),
                                program_schema().number(), program_schema().code_digest()));
  }
}
