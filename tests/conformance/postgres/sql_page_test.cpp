// The blocks of docs/sql.md, as they stand there, run one after the other and do what the page
// says.
#include <fstream>
#include <sstream>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

// Each statement of the page, with the line "-- SQLSTATE" before it where it is to be refused.
Rows statements() {
  std::ifstream page(std::string(WEIR_SOURCE_DIR) + "/docs/sql.md");
  Rows found;
  std::string statement;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```")) {
      inside = line == "```sql";
      continue;
    }
    if (!inside) continue;
    statement += line + '\n';
    if (!line.ends_with(';')) continue;
    found.push_back(std::exchange(statement, {}));
  }
  return found;
}

}  // namespace

TEST_SUITE("docs: SQL") {
  TEST_CASE("every statement on docs/sql.md does what the page says") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    FlowDraft::Step decision = of_kind("wait", "decision", {"ask"});
    decision.signal = "approval";
    worker.loads(
        named("expense_approval", flow({step("ask"), decision, step("pay", {"decision"})})));
    AdminSession user(stores.url());
    const Rows all = statements();
    REQUIRE(all.size() > 15);
    for (const std::string& statement : all) {
      CAPTURE(statement);
      if (statement.starts_with("-- WR")) {
        const std::string sqlstate = statement.substr(3, 5);
        const std::string call = statement.substr(statement.find('\n') + 1);
        user.run(
            "create or replace function pg_temp.state_of(call text) returns text language "
            "plpgsql as $$ begin execute call; return ''; exception when others then return "
            "sqlstate; end $$");
        CHECK(user.run("select pg_temp.state_of($call$" + call + "$call$)") == Rows{sqlstate});
        continue;
      }
      CHECK_NOTHROW(user.run(statement));
    }
    CHECK(user.run("select status from weir.runs where run_id = "
                   "'01910000-0000-7000-8000-000000000017'") == Rows{"queued"});
    CHECK(user.run("select count(*) from weir.runs") == Rows{"102"});
    CHECK(user.run("select amount from expense") == Rows{"120"});
  }
}
