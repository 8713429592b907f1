#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

namespace weir {
namespace {

const std::filesystem::path schemas = std::filesystem::path(WEIR_SOURCE_DIR) / "schemas";

constexpr std::size_t columns_max = 120;

// Migrations are left out: they have been applied, and stay as they are.
std::vector<std::filesystem::path> schema_sources() {
  std::vector<std::filesystem::path> found;
  for (const char* const kind : {"functions", "views", "roles"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(schemas / kind))
      if (entry.path().extension() == ".sql") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

std::string sql_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Characters, not bytes.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// "name:3: 131 columns", a line for each line that is too long.
std::string long_lines(const std::string& name, const std::string& text) {
  std::string faults;
  std::istringstream lines(text);
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number)
    if (const std::size_t count = columns(line); count > columns_max)
      faults += name + ":" + std::to_string(number) + ": " + std::to_string(count) + " columns\n";
  return faults;
}

// "name: outcome = 7", a line for each outcome that is compared with a number.
std::string bare_outcomes(const std::string& name, const std::string& text) {
  static const std::regex pattern(R"(outcome\s*(=|<>|!=|<=?|>=?|(not\s+)?in)\s*\(?\s*\d)",
                                  std::regex::icase);
  std::string faults;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern);
       at != std::sregex_iterator(); ++at)
    faults += name + ": " + at->str() + "\n";
  return faults;
}

// "name: o.run_id = c.run_id", a line for each join of a table that grows which a planner can do in
// other ways than by key.
std::string joins_by_equality(const std::string& name, const std::string& text) {
  static const std::regex table(
      R"((?:from|join|using|update)\s+weir\.(?:open_run|run|share|sent_signal)\s+(?:as\s+)?([a-z])\b)");
  std::set<std::string> aliases;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), table);
       at != std::sregex_iterator(); ++at)
    aliases.insert(at->str(1));
  static const std::regex pattern(
      R"(\b([a-z])\.(?:run_id|id|parent_run)\s*=\s*[a-z]\.[a-z_]*(?:run|id)\b)");
  std::string faults;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern);
       at != std::sregex_iterator(); ++at)
    if (aliases.contains(at->str(1))) faults += name + ": " + at->str() + "\n";
  return faults;
}

// What schemas/functions/engine/schema/rights.sql grants to the role.
std::set<std::string> granted(const std::string& role) {
  const std::string text = sql_text(schemas / "functions/engine/schema/rights.sql");
  const std::regex pattern("\\('" + role + "', '([a-z0-9_]+)'\\)");
  std::set<std::string> names;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern);
       at != std::sregex_iterator(); ++at)
    names.insert(at->str(1));
  return names;
}

std::set<std::string> functions_in(const char* folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(schemas / "functions" / folder))
    if (entry.path().extension() == ".sql") names.insert(entry.path().stem().string());
  return names;
}

}  // namespace

TEST_SUITE("schema") {
  TEST_CASE("no line of functions, views and roles has more than 120 columns") {
    const auto sources = schema_sources();
    CHECK(sources.size() > 100);
    std::string faults;
    for (const auto& path : sources)
      faults += long_lines(path.lexically_relative(schemas), sql_text(path));
    CHECK(faults == "");
  }

  TEST_CASE("functions and views have outcomes by name and not by number") {
    std::string faults;
    for (const auto& path : schema_sources())
      faults += bare_outcomes(path.lexically_relative(schemas), sql_text(path));
    INFO("weir.outcome('completed') is the number of an outcome");
    CHECK(faults == "");
  }

  TEST_CASE("functions that workers and clients call join by key whatever the statistics say") {
    std::string faults;
    for (const auto& path : schema_sources()) {
      const std::string name = path.lexically_relative(schemas);
      if (name.starts_with("functions/engine/") || name.starts_with("functions/client/"))
        faults += joins_by_equality(name, sql_text(path));
    }
    INFO("o.run_id = any (array[c.run_id]): see schemas/functions/README.md");
    CHECK(faults == "");
  }

  TEST_CASE("a function that forbids sequential scans is not compiled for their cost") {
    std::string faults;
    std::size_t functions = 0;
    for (const auto& path : schema_sources()) {
      const std::string text = sql_text(path);
      if (!text.contains("set enable_seqscan = off")) continue;
      ++functions;
      if (!text.contains("set jit = off set enable_seqscan = off"))
        faults += path.lexically_relative(schemas).string() + "\n";
    }
    CHECK(functions > 20);
    CHECK(faults == "");
  }

  TEST_CASE("the folders client and reader hold what these roles may call") {
    CHECK(functions_in("client").size() > 10);
    CHECK(functions_in("client") == granted("weir_client"));
    CHECK(functions_in("reader") == granted("weir_reader"));
  }
}

TEST_SUITE("schema: the rules") {
  TEST_CASE("a line that is too long is reported with its number and its columns") {
    CHECK(long_lines("a.sql", std::string(120, 'x') + "\n" + std::string(121, 'x') + "\n") ==
          "a.sql:2: 121 columns\n");
    CHECK(long_lines("a.sql", std::string(119, 'x') + "ä\n") == "");
  }

  TEST_CASE("a number in the place of an outcome is found in each form and across lines") {
    CHECK(bare_outcomes("a.sql", "where j.outcome = 7 and 1 = 1") == "a.sql: outcome = 7\n");
    CHECK(bare_outcomes("a.sql", "where Outcome<>7") == "a.sql: Outcome<>7\n");
    CHECK(bare_outcomes("a.sql", "where outcome < 7") == "a.sql: outcome < 7\n");
    CHECK(bare_outcomes("a.sql", "outcome not in\n  (2, 3)") == "a.sql: outcome not in\n  (2\n");
    CHECK(bare_outcomes("a.sql", "outcome = weir.outcome('lost') and outcome = any (b)") == "");
    CHECK(bare_outcomes("a.sql", "c.parent_attempt, outcome, 8") == "");
  }

  TEST_CASE("a join of a table that grows is found unless it can only be done by key") {
    const std::string from = "from candidate c join weir.open_run o\n on ";
    CHECK(joins_by_equality("a.sql", from + "o.run_id = c.run_id") ==
          "a.sql: o.run_id = c.run_id\n");
    CHECK(joins_by_equality("a.sql", from + "o.run_id = any (array[c.run_id])") == "");
    CHECK(joins_by_equality("a.sql", "from weir.flow f join weir.version v on v.id = f.id") == "");
    CHECK(joins_by_equality("a.sql", "update weir.run r set a = 1 from b x where r.id = x.id") ==
          "a.sql: r.id = x.id\n");
    CHECK(joins_by_equality("a.sql", "from weir.run r where r.id = v_run.id") == "");
  }
}

}  // namespace weir
