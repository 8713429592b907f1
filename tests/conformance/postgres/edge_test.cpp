#include <string>
#include <vector>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

struct Edges {
  Edges() { worker.loads(one_step()); }

  /// The SQLSTATE with which the database refuses a statement; "taken" when it does not.
  std::string refusal(const std::string& statement) {
    user.run("begin");
    std::string code = "taken";
    try {
      user.run(
          "create function pg_temp.sqlstate_of(p text) returns text language plpgsql as $f$ begin "
          "execute p; return 'taken'; exception when others then return sqlstate; end $f$");
      code = user.run(fmt::format("select pg_temp.sqlstate_of($s${}$s$)", statement)).at(0);
    } catch (const std::runtime_error& error) {
      code = error.what();
    }
    user.run("rollback");
    return code;
  }

  PostgresUnderTest stores;
  TestWorker worker{stores};
  AdminSession user{stores.url()};
};

}  // namespace

TEST_SUITE("postgres: edges") {
  TEST_CASE("S1: what no start can mean is refused as such") {
    Edges a;
    for (const std::string argument :
         {"at => '-infinity'", "at => 'infinity'", "at => '294276-01-01'", "at => '4000-01-01 BC'",
          "at => '9999-12-31 00:00+00'", "delay => '300000 years'", "delay => '-300000 years'",
          "priority => null", "tags => null", "tags => '{a,null}'"}) {
      CAPTURE(argument);
      CHECK(a.refusal("select weir.start('totals', '{}', " + argument + ")") == "WR003");
      CHECK(a.refusal("select weir.start_many('totals', array['{}'::jsonb], " + argument + ")") ==
            "WR003");
    }
    CHECK(a.refusal("select weir.start_many('totals', null)") == "WR003");
    CHECK(a.refusal("select weir.start(null, '{}')") == "WR002");
    CHECK(a.refusal("select weir.start('totals', null)") == "taken");
  }

  TEST_CASE("C5: what no schedule can mean is refused as such") {
    Edges a;
    for (const std::string arguments :
         {"null, 'totals', '* * * * *'", "'s', null, '* * * * *'", "'s', 'totals', null",
          "'s', 'totals', '* * * * *', priority => null",
          "'s', 'totals', '* * * * *', missed => null",
          "'s', 'totals', '* * * * *', paused => null",
          "'s', 'totals', '* * * * *', tags => '{null}'",
          "'s', 'totals', '* * * * *', time_zone => null"}) {
      CAPTURE(arguments);
      CHECK(a.refusal("select weir.schedule(" + arguments + ")") == "WR003");
    }
    for (const std::string after : {"'infinity'", "'-infinity'", "'294276-01-01'", "null"}) {
      CAPTURE(after);
      CHECK(a.refusal("select weir.cron_next('* * * * *', 'UTC', " + after + ")") == "WR003");
      CHECK(a.refusal("select weir.cron_next('@every 1h', 'UTC', " + after + ")") == "WR003");
    }
  }

  TEST_CASE("what no worker, listener or operator can mean is refused as such") {
    Edges a;
    for (const std::string ms : {"null", "0", "-1", "9223372036854775807"}) {
      CAPTURE(ms);
      CHECK(a.refusal("select weir.join_as_worker('h', 1, 1, " + ms + ")") == "WR003");
      CHECK(a.refusal(fmt::format("select weir.renew({}, {})", a.worker.id, ms)) == "WR003");
      CHECK(a.refusal("select weir.listen(null, " + ms + ")") == "WR003");
    }
    CHECK(a.refusal("select weir.set_limits('totals', rate => '1/999999999d')") == "WR003");
    CHECK(a.refusal("select weir.set_limits('totals', rate => '1/365d')") == "taken");
    CHECK(a.refusal("select weir.prune('1 day', batch => null)") == "WR003");
  }

  TEST_CASE("L7: results of shared elements that cannot be meant are refused as such") {
    Edges a;
    must(a.stores.client_session()->start("totals", {Json()}, {}));
    const RunKey run = a.worker.claim_one().run;
    a.user.run(
        fmt::format("select weir.offer_shares({}, {}, 0::smallint, 1::smallint, '{{0}}', "
                    "array['[1, 2]'::jsonb])",
                    a.worker.id, run));
    a.user.run(fmt::format("update weir.share set worker_id = {}, taken_at = now()", a.worker.id));
    for (const std::string result :
         {R"({"index": 0, "output": 1, "ended_at": "infinity"})",
          R"({"index": 0, "output": 1, "started_at": "294276-01-01"})",
          R"({"index": 0, "output": 1, "ended_at": "soon"})", R"({"index": "x", "output": 1})",
          R"({"index": 0.5, "output": 1})",
          R"({"index": 0, "output": 1, "started_at": "2020-01-02", "ended_at": "2020-01-01"})",
          R"({"index": 0, "outcome": "failed", "retry_after_ms": 99999999999999999999})",
          R"({"index": 0, "outcome": "failed", "retry_after_ms": -1})"}) {
      CAPTURE(result);
      CHECK(a.refusal(fmt::format("select weir.settle_share({}, 1, '[{}]')", a.worker.id,
                                  result)) == "WR003");
    }
    CHECK(a.refusal(fmt::format("select weir.settle_share({}, 1, '5')", a.worker.id)) == "WR003");
    a.user.run(
        fmt::format("select weir.settle_share({}, 1, '[{{\"index\": 0, \"outcome\": "
                    "\"failed\", \"error\": \"e\", \"ended_at\": \"2999-01-01\"}}]')",
                    a.worker.id));
    CHECK(a.user.run("select ended_at <= clock_timestamp() from weir.journal") ==
          std::vector<std::string>{"t"});
  }

  TEST_CASE("S1: tags that are no list of texts are refused as such") {
    Edges a;
    for (const std::string tags : {"null", "'{a,null}'", "'{{a,b},{c,d}}'", "'[5:6]={a,b}'"}) {
      CAPTURE(tags);
      CHECK(a.refusal("select weir.start('totals', '{}', tags => " + tags + ")") == "WR003");
      if (tags != "null")
        CHECK(a.refusal("select weir.schedule('s', 'totals', '@daily', tags => " + tags + ")") ==
              "WR003");
    }
  }

  TEST_CASE("what no worker can be, serve or report is refused as such") {
    Edges a;
    for (const std::string worker : {"null, 1, 1, 1000", "'h', null, 1, 1000", "'h', 1, null, 1000",
                                     "'h', 1, 0, 1000", "'h', 1, 1, 1000, p_async_calls => -1"})
      CHECK(a.refusal("select weir.join_as_worker(" + worker + ")") == "WR003");
    for (const std::string served :
         {"null, '{1}', '{1}'", "1, null, '{1}'", "1, '{1}', null", "1, '{1,2}', '{1}'",
          "1, '{}', '{1}'", "1, '{{null,null}}', '{1,2}'", "1, '{1}', '{1}', p_claims => null"})
      CHECK(a.refusal("select weir.serve_versions(" + served + ")") == "WR003");
    CHECK(a.refusal("select weir.serve_flow(null, 'totals')") == "WR003");
    CHECK(a.refusal("select weir.set_limits('totals', 5, by_config => null)") == "WR003");
    CHECK(a.refusal("select weir.adopt_older(null)") == "WR002");
    CHECK(a.refusal("select weir.adopt_older(99)") == "WR002");
    for (const std::string plugin : {"null, '/p'", "'abc', '/p'", "repeat('a', 64), null"})
      CHECK(a.refusal("select weir.register_plugin(" + plugin + ")") == "WR003");
    for (const std::string report :
         {"null, 1, now(), '[]'", "'h', null, now(), '[]'", "'h', 1, null, '[]'",
          "'h', 1, now(), '{}'", "'h', 1, now(), 'null'", "'h', 1, now(), '[5]'",
          "'h', 1, now(), '[{}]'",
          R"('h', 1, now(), '[{"path": "/p", "state": "live", "isolated": "perhaps"}]')",
          R"('h', 1, now(), '[{"path": "/p", "state": "live", "flows": [["a"], ["b"]]}]')",
          R"('h', 1, now(), '[{"path": "/p", "state": "live", "flows": [null]}]')"}) {
      CAPTURE(report);
      CHECK(a.refusal("select weir.report_plugins(" + report + ")") == "WR003");
    }
  }

  TEST_CASE("D5: a version that no plugin can have is refused as such") {
    Edges a;
    const std::string step =
        R"({"slug": "a", "kind": "map", "depends_on": [], "max_attempts": 1, "base_delay_ms": 1,
            "max_delay_ms": 1, "timeout_ms": 1, "start_delay_ms": 0, "max_output_bytes": 1})";
    const auto refusal = [&](const std::string& names, const std::string& definition) {
      return a.refusal("select weir.register_version(" + names + ", '" + definition + "', null)");
    };
    const std::string names = "'fresh', 'a.B', repeat('a', 64)";
    const auto with = [&](const std::string& from, const std::string& to) {
      std::string changed = step;
      changed.replace(changed.find(from), from.size(), to);
      return "{\"steps\": [" + changed + "]}";
    };
    CHECK(refusal(names, "{\"steps\": [" + step + "]}") == "taken");
    for (const std::string odd :
         {"null, 'a.B', repeat('a', 64)", "'run', 'a.B', repeat('a', 64)",
          "'fresh', null, repeat('a', 64)", "'fresh', 'a.B', null", "'fresh', 'a.B', 'ABC'"})
      CHECK(refusal(odd, "{\"steps\": [" + step + "]}") == "WR003");
    for (const std::string& definition :
         {std::string("null"), std::string("[]"), std::string("{\"steps\": []}"),
          std::string("{\"steps\": [{}]}"), with("\"a\"", "\"run\""), with("\"map\"", "\"loop\""),
          with("[]", "[\"a\"]"), with("[]", "[\"b\"]"), with("[]", "[null]"), with("[]", "5"),
          with("\"timeout_ms\": 1", "\"timeout_ms\": 0"),
          with("\"timeout_ms\": 1", "\"timeout_ms\": \"soon\"")}) {
      CAPTURE(definition);
      CHECK(refusal(names, definition) == "WR003");
    }
    CHECK(a.refusal("select weir.register_version(" + names + ", null, null)") == "WR003");
  }

  TEST_CASE("what a worker cannot mean about its runs is refused as such") {
    Edges a;
    must(a.stores.client_session()->start("totals", {Json()}, {}));
    const RunKey run = a.worker.claim_one().run;
    const auto refusal = [&](const std::string& function, const std::string& more) {
      CAPTURE(more);
      return a.refusal(fmt::format("select weir.{}({}, {})", function, a.worker.id, more));
    };
    for (const std::string waits :
         {"null, '{0}'", "'{1}', null", "'{1,2}', '{0}'", "'{1}', '{null}'"})
      CHECK(refusal("close_waits", waits) == "WR003");
    const auto attempt = [&](const std::string& values) {
      return fmt::format("{}, {}", run, values);
    };
    CHECK(refusal("settle", attempt("0::smallint, 0, 1::smallint, '1', null, now(), now() + "
                                    "interval '1 h'")) == "taken");
    for (const std::string odd : {"null, 0, 1::smallint, '1', null, now(), null",
                                  "0::smallint, null, 1::smallint, '1', null, now(), null",
                                  "0::smallint, 0, null, '1', null, now(), null",
                                  "0::smallint, 0, 0::smallint, '1', null, now(), null",
                                  "0::smallint, -1, 1::smallint, '1', null, now(), null",
                                  "0::smallint, 0, 1::smallint, '1', null, null, null",
                                  "0::smallint, 0, 1::smallint, '1', null, '-infinity', null"})
      CHECK(refusal("settle", attempt(odd)) == "WR003");
    CHECK(refusal("resolve_settlement",
                  attempt("0::smallint, 0, 1::smallint, 2::smallint, null, 'c', "
                          "'e', null, now(), now(), null")) == "taken");
    for (const std::string odd :
         {"null, 0, 1::smallint, 2::smallint, null, 'c', 'e', null, now(), now(), null",
          "0::smallint, 0, 1::smallint, 0::smallint, null, 'c', 'e', null, now(), now(), null",
          "0::smallint, 0, 1::smallint, 9::smallint, null, 'c', 'e', null, now(), now(), null",
          "0::smallint, 0, 1::smallint, null, null, 'c', 'e', null, now(), now(), null",
          "0::smallint, 0, 1::smallint, 2::smallint, null, 'c', 'e', null, null, now(), null",
          "0::int2, 0, 1::int2, 2::int2, null, 'c', 'e', null, now(), 'infinity', null"})
      CHECK(refusal("resolve_settlement", attempt(odd)) == "WR003");
    CHECK(refusal("offer_shares",
                  attempt("0::smallint, 1::smallint, '{0}', array['[1]'::jsonb]")) == "taken");
    for (const std::string odd : {"null, 1::smallint, '{0}', array['[1]'::jsonb]",
                                  "0::smallint, null, '{0}', array['[1]'::jsonb]",
                                  "0::smallint, 0::smallint, '{0}', array['[1]'::jsonb]",
                                  "0::smallint, 1::smallint, '{-1}', array['[1]'::jsonb]",
                                  "0::smallint, 1::smallint, '{null}', array['[1]'::jsonb]",
                                  "0::smallint, 1::smallint, '{0}', array['[]'::jsonb]",
                                  "0::smallint, 1::smallint, '{0}', array['5'::jsonb]",
                                  "0::smallint, 1::smallint, '{0}', array[null::jsonb]",
                                  "0::smallint, 1::smallint, '{0,1}', array['[1]'::jsonb]",
                                  "0::smallint, 1::smallint, '{2147483647}', array['[1]'::jsonb]",
                                  "0::smallint, 1::smallint, null, array['[1]'::jsonb]"})
      CHECK(refusal("offer_shares", attempt(odd)) == "WR003");
  }

  TEST_CASE("L3: a worker that stated attempts that cannot be is swept like any other") {
    Edges a;
    const TestWorker other(a.stores);
    must(a.stores.client_session()->start("totals", {Json()}, {}));
    const RunKey run = a.worker.claim_one().run;
    for (const std::string stated : {"in_flight_step = '{}'", "in_flight_index = '{null}'",
                                     "in_flight_attempt = '{-1}'", "in_flight_attempt = '{}'"}) {
      CAPTURE(stated);
      a.user.run("begin");
      a.user.run(
          fmt::format("update weir.worker set lease_until = clock_timestamp(), in_flight_run "
                      "= '{{{}}}', in_flight_step = '{{0}}', in_flight_index = '{{0}}', "
                      "in_flight_attempt = '{{1}}', in_flight_plugin = '{{null}}' where id = {}",
                      run, a.worker.id));
      a.user.run(fmt::format("update weir.worker set {} where id = {}", stated, a.worker.id));
      CHECK_NOTHROW(CHECK(a.user.run("select weir.sweep()") == std::vector<std::string>{"1"}));
      a.user.run("rollback");
    }
  }

  TEST_CASE("times that nobody can mean stop neither workers nor reports") {
    Edges a;
    const auto client = a.stores.client_session();
    const StartedRun bystander = start_one(*client);
    const StartedRun odd = start_one(*client);
    for (const std::string time : {"infinity", "-infinity", "294276-12-31", "4000-01-01 BC"}) {
      CAPTURE(time);
      a.user.run(
          fmt::format("update weir.run set created_at = '{0}', available_at = '{0}', "
                      "started_at = '{0}' where uuid = '{1}'",
                      time, odd.id));
      a.user.run(
          fmt::format("update weir.open_run o set wake_at = '{0}', worker_id = null from "
                      "weir.run r where r.id = o.run_id and r.uuid = '{1}'",
                      time, odd.id));
      CHECK(a.worker.session->exchange(a.worker.next(5)).has_value());
      CHECK(must(client->runs({})).size() == 2);
      CHECK(client->report(odd.id).has_value());
      CHECK(client->workers(10).has_value());
    }
    CHECK(must(client->summary(bystander.id)).started_at.has_value());
  }
}
