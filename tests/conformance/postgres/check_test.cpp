#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "run/outcome_rules.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

struct Checks {
  // Whether the database takes the statement, undone at once.
  bool takes(const std::string& statement) {
    user.run("begin");
    bool taken = true;
    try {
      user.run(statement);
    } catch (const std::runtime_error&) {
      taken = false;
    }
    user.run("rollback");
    return taken;
  }

  // A step with one column of its own.
  bool takes_step(std::string_view column, std::int64_t value) {
    return takes(
        fmt::format("insert into weir.step select (jsonb_populate_record(s, '{{\"position\": 1, "
                    "\"slug\": \"z\", "
                    "\"{}\": {}}}')).* from weir.step s",
                    column, value));
  }

  PostgresUnderTest stores;
  AdminSession user{stores.url()};
};

}  // namespace

TEST_SUITE("postgres: checks") {
  TEST_CASE("D5: the database refuses the option values that the definition refuses") {
    Checks a;
    TestWorker(a.stores).loads(one_step());
    for (const OptionRule& rule : option_rules) {
      CAPTURE(std::string(rule.name));
      CHECK(a.takes_step(rule.name, rule.min));
      CHECK(a.takes_step(rule.name, rule.max));
      CHECK_FALSE(a.takes_step(rule.name, rule.min - 1));
      CHECK_FALSE(a.takes_step(rule.name, rule.max + 1));
    }
    CHECK(a.takes_step("position", static_cast<std::int64_t>(FlowDefinition::steps_max) - 1));
    CHECK_FALSE(a.takes_step("position", FlowDefinition::steps_max));
  }

  TEST_CASE("D1: the database takes the slugs that Slug takes and no others") {
    Checks a;
    TestWorker(a.stores).loads(one_step());
    for (const std::string& slug :
         {std::string("a"), std::string("_"), std::string("Z9_x"), std::string("runs"),
          std::string(Slug::bytes_max, 'x'), std::string(Slug::bytes_max + 1, 'x'), std::string(),
          std::string("run"), std::string("Run"), std::string("9a"), std::string("a-b"),
          std::string("a b"), std::string("a\n"), std::string("\na"), std::string("ä"),
          std::string("a.b")}) {
      CAPTURE(slug);
      const bool valid = Slug::parse(slug).has_value();
      CHECK(a.takes("insert into weir.flow (slug) values (" + sql_literal(slug) + ")") == valid);
      CHECK(a.takes("insert into weir.step select (jsonb_populate_record(s, "
                    "jsonb_build_object('position', 1, 'slug', " +
                    sql_literal(slug) + "::text))).* from weir.step s where slug = 'a' and " +
                    sql_literal(slug) + " <> 'a'") == (valid || slug == "a"));
    }
  }

  TEST_CASE("D1: slugs that differ in case alone are refused by the database too") {
    Checks a;
    TestWorker(a.stores).loads(one_step());
    CHECK_FALSE(a.takes("insert into weir.flow (slug) values ('TOTALS')"));
    CHECK_FALSE(
        a.takes("insert into weir.step select (jsonb_populate_record(s, "
                "'{\"position\": 1, \"slug\": \"A\"}')).* from weir.step s"));
  }

  TEST_CASE("D2: a module's name has at most 255 bytes in the database too") {
    Checks a;
    TestWorker(a.stores).loads(one_step());
    CHECK(a.takes(
        fmt::format("update weir.version set module = repeat('m', {})", ModuleName::bytes_max)));
    CHECK_FALSE(a.takes(fmt::format("update weir.version set module = repeat('m', {})",
                                    ModuleName::bytes_max + 1)));
    CHECK_FALSE(a.takes("update weir.version set module = ''"));
  }

  TEST_CASE("D6: the canonical form is stored and its hash is the fingerprint's") {
    Checks a;
    TestWorker(a.stores).loads(flow({step("a"), of_kind("map", "b", {"a"})}));
    const FlowDefinition definition = built(flow({step("a"), of_kind("map", "b", {"a"})}));
    CHECK(a.user.run("select fingerprint from weir.version") == Rows{definition.fingerprint()});
    CHECK(a.user.run(fmt::format("select definition = '{}' from weir.version",
                                 definition.canonical().text())) == Rows{"t"});
  }

  TEST_CASE("the database has the names and numbers of the program's outcomes and no others") {
    Checks a;
    Rows names;
    for (const OutcomeRule& rule : outcome_rules) {
      names.emplace_back(name(rule.outcome));
      CAPTURE(names.back());
      CHECK(a.user.run("select weir.outcome('" + names.back() + "')") ==
            Rows{std::to_string(static_cast<int>(rule.outcome))});
    }
    CHECK(a.user.run("select unnest(weir.outcomes())") == names);
    CHECK(a.takes("select weir.outcome('completed')"));
    CHECK_FALSE(a.takes("select weir.outcome('succeeded')"));
    CHECK_FALSE(a.takes("select weir.outcome(null)"));
  }

  TEST_CASE("F9: that a migration has just replaced a function is not the fault of a value") {
    const PostgresUnderTest stores;
    const auto is_fault = [&](const char* message) {
      return stores
          .sql(fmt::format("select weir.is_fault_of_value('XX000', '{}', 1 << 28)", message))
          .front();
    };
    CHECK(is_fault("invalid memory alloc request size 1073741824") == "t");
    CHECK(is_fault("cache lookup failed for function 16411") == "f");
  }

  TEST_CASE("C3: the database takes for failures what RunState retries or gives up") {
    Checks a;
    for (const OutcomeRule& rule : outcome_rules) {
      CAPTURE(std::string(name(rule.outcome)));
      const bool failed = rule.after == AfterRow::retry || rule.after == AfterRow::fail;
      CHECK(a.user.run(fmt::format("select {} = any (weir.failures())",
                                   static_cast<int>(rule.outcome))) == Rows{failed ? "t" : "f"});
    }
  }

  TEST_CASE("P3: the database knows which step's output counts a map's tasks") {
    Checks a;
    TestWorker(a.stores).loads(
        flow({of_kind("map", "root"), of_kind("map", "root2", {"root"}), step("s"),
              of_kind("map", "m1", {"s"}), of_kind("map", "m2", {"m1"}),
              of_kind("map", "m3", {"m2"}), step("t", {"m3", "root2"})}));
    CHECK(a.user.run(
              "select concat_ws(' ', s.slug, s.depends_on, 'by', c.slug) from weir.step s"
              " left join weir.step c on c.version_id = s.version_id and c.position = s.counted_by"
              " order by s.slug") == Rows{"m1 {2} by s", "m2 {3} by s", "m3 {4} by s", "root {} by",
                                          "root2 {0} by", "s {} by", "t {1,5} by"});
  }
}
