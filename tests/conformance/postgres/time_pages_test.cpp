// The SQL of docs/schedules.md, docs/limits.md and docs/retention.md, as it stands there.
#include <fstream>
#include <utility>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

std::vector<std::string> statements(const std::string& page) {
  std::ifstream lines(std::string(WEIR_SOURCE_DIR) + "/docs/" + page);
  std::vector<std::string> found;
  std::string statement;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = line == "```sql";
      continue;
    }
    if (!inside) continue;
    line = line.substr(0, line.find("--"));
    statement += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    if (statement.ends_with(";\n")) found.push_back(std::exchange(statement, {}));
  }
  CHECK(statement.empty());
  return found;
}

}  // namespace

TEST_SUITE("docs: schedules and limits and retention") {
  TEST_CASE("every statement of the three pages can be run") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    for (const char* slug : {"nightly_report", "bulk_import", "health_check"})
      worker.loads(named(slug, one_step()));
    AdminSession user(stores.url());
    std::size_t count = 0;
    for (const char* page : {"schedules.md", "limits.md", "retention.md"})
      for (const std::string& statement : statements(page)) {
        CAPTURE(statement);
        CHECK_NOTHROW(user.run(statement));
        ++count;
      }
    CHECK(count == 12);
    CHECK(user.run("select count(*) from weir.schedules") == std::vector<std::string>{"0"});
  }
}
