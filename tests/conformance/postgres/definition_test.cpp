#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// A step of a canonical definition; `more` are further members: , "signal": "x".
std::string written(const std::string& slug, const std::string& kind,
                    const std::string& depends_on = "[]", const std::string& more = "") {
  std::string options;
  const StepOptions defaults;
  for (const OptionRule& rule : option_rules)
    options += fmt::format(", \"{}\": {}", rule.name, rule.get(defaults));
  return fmt::format(R"({{"slug": "{}", "kind": "{}", "depends_on": {}{}{}}})", slug, kind,
                     depends_on, options, more);
}

struct Registered {
  // What the database says of a definition; empty when it takes it.
  std::string refusal(const std::string& steps, const std::string& module = "shop.A",
                      const std::string& schema = "null") {
    try {
      user.run(
          fmt::format("begin; select 1 from weir.register_version('a', '{}', repeat('0', 64), "
                      "'{{\"slug\": \"a\", \"steps\": [{}]}}', {})",
                      module, steps, schema == "null" ? schema : "'" + schema + "'"));
      user.run("rollback");
      return "";
    } catch (const std::runtime_error& refused) {
      user.run("rollback");
      return refused.what();
    }
  }

  PostgresUnderTest stores;
  AdminSession user{stores.url()};
};

}  // namespace

TEST_SUITE("postgres: definitions") {
  TEST_CASE("D5: the database refuses a definition with a fault that a worker would refuse") {
    Registered a;
    const std::string one = written("a", "single"), wait = written("w", "wait");
    const std::string condition = R"(, "only_if": )";
    const std::vector<std::pair<std::string, const char*>> faulty = {
        {one + "," + written("b", "single", R"(["a", "a"])"),
         R"(step "b" names its dependency "a" 2 times)"},
        {one + "," + written("b", "map", R"(["a", "a"])"),
         R"(step "b" names its dependency "a" 2 times)"},
        {wait + "," + written("m", "map", R"(["w"])"),
         R"(step "m" maps over "w", a wait, whose output is no array)"},
        {written("f", "flow", "[]", R"(, "flow": "A")"),
         R"(step "f" starts its own flow again, without end)"},
        {written("a", "single", "[]", R"(, "signal": "x")"),
         R"(step "a" has the signal "x", but is not a wait)"},
        {written("w", "wait", "[]", R"(, "signal": "x..y")"),
         R"(step "w" waits for the signal "x..y", which is not a name)"},
        {written("a", "wait", "[]", R"(, "signal": "W")") + "," + wait,
         R"(step "w" waits for the signal "w", as step "a" does)"},
        {written("w", "wait", "[]", R"(, "when_exhausted": "skip")"),
         R"(step "w" sets when_exhausted, but a wait never fails)"},
        {written("a", "single", "[]", R"(, "when_unmet": "fail")"),
         R"(step "a" sets when_unmet, but has neither only_if nor unless)"},
        {one + "," + written("b", "single", R"(["a"])", condition + "1"),
         R"(step "b" has only_if, which is a number, but is compared with an object)"},
        {one + "," + written("b", "single", R"(["a"])", condition + R"({"c": 1})"),
         R"(step "b" has only_if, which asks for "c", which is not one of its dependencies)"},
        {wait + "," + written("x", "single", R"(["w"])", R"(, "unless": {"w": {"signaled": 1}})"),
         R"(step "x" has unless, which asks for what the output of the wait "w" never has)"},
        {wait + "," + written("x", "single", R"(["w"])", condition + R"({"w": {"signalled": 1}})"),
         R"(step "x" has only_if, which asks for what the output of the wait "w" never has)"},
    };
    for (const auto& [steps, words] : faulty) {
      CAPTURE(steps);
      const std::string said = a.refusal(steps);
      CHECK(said.contains(words));
      CHECK(said.contains(R"(flow "a": its definition cannot be: )"));
    }
    std::string delay = one;
    delay.replace(delay.find("1000"), 4, "1.5");
    CHECK(a.refusal(delay).contains("to 1.5, which is not a whole number"));
    delay.replace(delay.find("1.5"), 3, "1e2");
    CHECK(a.refusal(delay) == "");
    CHECK(a.refusal(one, "shop..A").contains("the name of its module is dotted slugs"));
    CHECK(a.refusal(one, "shop.A", "[1]").contains("its input_schema is an array"));
    CHECK(a.refusal(one, "shop.A", "true") == "");
    CHECK(a.stores.sql("select count(*) from weir.version").front() == "0");
  }

  TEST_CASE("D5: the database takes what a worker takes of conditions, waits and flows") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    FlowDraft::Step wait = of_kind("wait", "w");
    wait.signal = "order.paid";
    FlowDraft::Step after = of_kind("flow", "f", {"w"});
    after.flow = "totals";
    after.only_if = json(R"({"w": {"signalled": true, "payload": {"a": 1}}})");
    after.when_unmet = "skip_cascade";
    FlowDraft::Step root = step("r");
    root.unless = json("[1]");
    root.when_exhausted = "skip";
    FlowDraft::Step map = of_kind("map", "m", {"r"});
    worker.loads(flow({wait, after, root, map, step("z", {"m", "r"})}));
    CHECK(stores.sql("select count(*) from weir.step").front() == "5");
  }
}
