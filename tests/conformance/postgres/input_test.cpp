#include <array>
#include <random>
#include <string>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "definition/input_schema.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// Makes schemas and values that have much in common.
class Some {
 public:
  explicit Some(unsigned seed) : random_(seed) {}

  std::string schema(int depth) {
    if (depth == 0 || one_of(6) == 0)
      return pick("true", R"({"type": "string"})", R"({"type": "integer"})",
                  R"({"type": "number"})", R"({"type": ["null", "boolean"]})", "{}", "false");
    std::string rules;
    const auto add = [&](const char* keyword, const std::string& rule) {
      if (one_of(3) == 0) return;
      rules += fmt::format("{}\"{}\": {}", rules.empty() ? "" : ", ", keyword, rule);
    };
    switch (one_of(6)) {
      case 0:
        add("type", pick(R"("object")", R"(["object", "integer"])"));
        add("required", pick(R"(["a"])", R"(["a", "b/~"])", "[]"));
        add("properties",
            fmt::format(R"({{"a": {}, "b/~": {}}})", schema(depth - 1), schema(depth - 1)));
        add("additionalProperties", schema(depth - 1));
        if (one_of(4) == 0) add("maxProperties", "1");
        break;
      case 1:
        add("type", R"("array")");
        add("items", one_of(3) == 0 ? fmt::format("[{}, {}]", schema(depth - 1), schema(depth - 1))
                                    : schema(depth - 1));
        add("additionalItems", pick("false", "true", R"({"type": "string"})"));
        add("minItems", "1");
        add("maxItems", pick("1", "2.0"));
        break;
      case 2:
        add("minimum", pick("0", "-1.5"));
        add("maximum", pick("1e2", "1"));
        add("exclusiveMinimum", pick("0", "1.0"));
        add("exclusiveMaximum", "100");
        break;
      case 3:
        add("enum", pick(R"([1, "a", null])", R"([[1], {"a": 1.0}])", "[]"));
        add("const", pick("1", R"("a")", R"({"a": 1})"));
        add("maxLength", "1");
        break;
      case 4:
        add("anyOf", fmt::format("[{}, {}]", schema(depth - 1), schema(depth - 1)));
        break;
      default:
        add("allOf", fmt::format("[{}, {}]", schema(depth - 1), schema(depth - 1)));
        add("title", R"("x")");
    }
    return "{" + rules + "}";
  }

  std::string value(int depth) {
    if (depth == 0 || one_of(3) == 0)
      return pick("null", "true", "0", "1", "1.0", "1e2", "-0.5", R"("a")", R"("äö")", R"("")");
    if (one_of(2) == 0) {
      std::string elements;
      for (unsigned i = one_of(4); i > 0; --i)
        elements += (elements.empty() ? "" : ", ") + value(depth - 1);
      return "[" + elements + "]";
    }
    std::string members;
    for (const char* name : {"a", "b/~", "c"})
      if (one_of(2) == 0)
        members += fmt::format("{}\"{}\": {}", members.empty() ? "" : ", ", name, value(depth - 1));
    return "{" + members + "}";
  }

 private:
  unsigned one_of(unsigned count) { return static_cast<unsigned>(random_() % count); }
  template <class... Texts>
  std::string pick(Texts... texts) {
    const std::array<const char*, sizeof...(texts)> all = {texts...};
    return all[one_of(sizeof...(texts))];
  }

  std::mt19937 random_;
};

// A flow whose inputs are {"id": integer}, and what starts runs of it.
struct Checked {
  Checked() {
    FlowDraft draft = one_step();
    draft.input_schema = json(
        R"({"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}})");
    worker.loads(draft);
  }
  // The SQLSTATE and the message with which a statement is refused; empty when it is not.
  std::string refusal(const std::string& statement) {
    return user.run(fmt::format(
                        "do $do$ declare m text; begin perform {}; perform set_config('t.m', '', "
                        "false); "
                        "exception when others then get stacked diagnostics m = message_text; "
                        "perform set_config('t.m', sqlstate || ' ' || m, false); end $do$",
                        statement))
                   .empty()
               ? user.run("select current_setting('t.m')").front()
               : "";
  }

  PostgresUnderTest stores;
  TestWorker worker{stores};
  AdminSession user{stores.url()};
};

constexpr const char* misfit = "WR003 /id: expected an integer, got a string";

}  // namespace

TEST_SUITE("postgres: inputs") {
  TEST_CASE("S3: the database refuses the inputs that the client refuses, in the same words") {
    const PostgresUnderTest stores;
    AdminSession user(stores.url());
    user.run(
        "create function pg_temp.refusal(s jsonb, i jsonb) returns text language plpgsql as $$ "
        "declare p jsonpath := weir.input_path_of(s); begin"
        " if jsonb_path_match(i, p, '{}', true) and weir.input_faults(s, i) <> '{}'"
        " then return 'the path takes what does not fit'; end if;"
        " perform weir.check_inputs(null, s, p, array[i]); return ''; "
        "exception when sqlstate 'WR003' then return sqlerrm; end $$");
    Some some(7);
    std::size_t taken = 0, refused = 0;
    for (int round = 0; round < 600; ++round) {
      const std::string schema = some.schema(3);
      CAPTURE(schema);
      const InputSchema rules{json(schema)};
      for (int time = 0; time < 5; ++time) {
        const std::string value = some.value(3);
        CAPTURE(value);
        const auto fits = rules.check(json(value));
        CHECK(user.run(fmt::format("select pg_temp.refusal({}, {})", sql_literal(schema),
                                   sql_literal(value)))
                  .front() == (fits ? "" : fits.error().message));
        ++(fits ? taken : refused);
      }
    }
    CHECK(taken > 500);
    CHECK(refused > 500);
  }

  TEST_CASE("S3: an input that does not fit is refused in whichever way it comes") {
    Checked a;
    const auto start = [&](const std::string& call) { return a.refusal("weir." + call); };
    CHECK(start(R"(start('totals', '{"id": 1}'))") == "");
    CHECK(start(R"(start('totals', '{"id": 1e2}', delay => '1 h'))") == "");
    CHECK(start(R"(start('totals', '{"id": "7"}'))") == misfit);
    CHECK(start(R"(start('totals', null))") == "WR003 the input: expected an object, got null");
    CHECK(start(R"(start('totals', '{"id": "7"}', at => now() + interval '1 h', version => 1))") ==
          misfit);
    CHECK(start(R"(start_many('totals', array['{"id": 1}', '{"id": "7"}', '{}']::jsonb[]))") ==
          "WR003 input 2 of 3: /id: expected an integer, got a string");
    CHECK(a.stores.sql("select count(*) from weir.runs").front() == "2");
    const auto told = a.stores.client_session()->start("totals", {json(R"({"id": "7"})")}, {});
    REQUIRE_FALSE(told.has_value());
    CHECK(told.error().code == ErrorCode::invalid_input);
    CHECK(told.error().hint == "weir flows show prints what input the flow takes");
  }

  TEST_CASE("S4: a key whose run has started gives that run, whatever inputs the flow takes now") {
    Checked a;
    const auto starts = [&] {
      return a.user
          .run(R"(select run_id from weir.start('totals', '{"id": 1}', idempotency_key => 'k'))")
          .front();
    };
    const std::string first = starts();
    FlowDraft draft = with_attempts(7);
    draft.input_schema = json(R"({"properties": {"id": {"type": "string"}}})");
    a.worker.loads(draft);
    CHECK(starts() == first);
    CHECK(a.refusal(R"(weir.start('totals', '{"id": 1}', idempotency_key => 'new'))")
              .starts_with("WR003"));
    CHECK(a.refusal(R"(weir.start_many('totals', array['{"id": 1}', '{"id": 2}']::jsonb[], )"
                    "array['k', 'new'])") ==
          "WR003 input 2 of 2: /id: expected a string, got a number");
  }

  TEST_CASE("S3: a schedule whose input does not fit starts nothing and says why") {
    Checked a;
    a.user.run(R"(select weir.schedule('s', 'totals', '* * * * *', '{"id": "7"}'))");
    a.user.run("update weir.schedule set next_at = now() - interval '1 s' returning name");
    a.user.run("select 1 from weir.tick()");
    CHECK(a.stores.sql("select error from weir.schedules")
              .front()
              .contains("/id: expected an integer, got a string"));
    CHECK(a.stores.sql("select count(*) from weir.runs").front() == "0");
  }

  TEST_CASE("S3: a child run whose input does not fit is refused with the pointer") {
    Checked a;
    FlowDraft::Step sub = of_kind("flow", "sub");
    sub.flow = "totals";
    a.worker.loads(named("parent", flow({sub})));
    must(a.stores.client_session()->start("parent", {json("1")}, {}));
    const ClaimedRun parent = a.worker.claim_one();
    const auto refused = a.worker.starts_child(parent.run, 0, 1, "totals", json(R"({"id": "7"})"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::invalid_input);
    CHECK(refused.error().message == "/id: expected an integer, got a string");
  }

  TEST_CASE("S3: a run is retried with another version only where its input fits") {
    Checked a;
    a.user.run(R"(select weir.start('totals', '{"id": 1}'))");
    a.user.run("select weir.cancel(run_id) from weir.runs");
    FlowDraft draft = with_attempts(7);
    draft.input_schema = json(R"({"properties": {"id": {"type": "string"}}})");
    a.worker.loads(draft);
    a.user.run("select 1 from weir.adopt('totals', 1, 2)");
    CHECK(a.refusal("weir.retry(r.run_id) from weir.runs r") ==
          "WR003 /id: expected a string, got a number");
    a.user.run("select 1 from weir.adopt('totals', 2, 1)");
    CHECK(a.refusal("weir.retry(r.run_id) from weir.runs r") == "");
  }

  TEST_CASE("S3: what SQL does not check is no obstacle to a start") {
    Checked a;
    for (
        const char* schema :
        {R"({"pattern": "^x", "$ref": "#/definitions/a", "type": "string"})",
         R"({"not": {}, "oneOf": [false], "patternProperties": {"i": {}}, "additionalProperties": false})"}) {
      FlowDraft draft = one_step();
      draft.input_schema = json(schema);
      a.worker.loads(draft);
      CHECK(a.refusal(R"(weir.start('totals', '{"id": "7"}'))") == "");
    }
    // A schema and an input so deep that PostgreSQL cannot compare them.
    std::string deep = "true", input = "1";
    for (int i = 0; i < 400; ++i) {
      deep.insert(0, R"({"type": "array", "items": )").append("}");
      input.insert(0, "[").append("]");
    }
    FlowDraft draft = one_step();
    draft.input_schema = json(deep);
    a.worker.loads(draft);
    CHECK(a.refusal("weir.start('totals', " + sql_literal(input) + ")") == "");
  }

  TEST_CASE("S3: a version that an older program registered is checked as well") {
    Checked a;
    a.user.run("update weir.version set input_path = null returning id");
    CHECK(a.refusal(R"(weir.start('totals', '{"id": "7"}'))") == misfit);
    CHECK(a.refusal(R"(weir.start('totals', '{"id": 7}'))") == "");
  }
}
