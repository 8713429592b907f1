// The plans of all statements that a worker's calls run, nested ones too, as auto_explain tells
// them: none compares each of a hundred rows with each of a hundred others.

#include <algorithm>
#include <memory>
#include <regex>
#include <string>
#include <utility>

#include <fmt/core.h>
#include <libpq-fe.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

constexpr int claims_per_exchange = 100;

/// A session that is told the plan of every statement that functions run in it.
class ExplainedSession {
 public:
  explicit ExplainedSession(const std::string& url)
      : connection_(PQconnectdb(url.c_str()), &PQfinish) {
    PQsetNoticeProcessor(
        connection_.get(),
        [](void* plans, const char* text) { *static_cast<std::string*>(plans) += text; }, &plans_);
    run("load 'auto_explain'");
    for (const char* setting : {"log_nested_statements = on", "log_min_duration = 0",
                                "log_analyze = on", "log_timing = off"})
      run(fmt::format("set auto_explain.{}", setting));
    run("set client_min_messages = log");
  }

  void run(const std::string& statement) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection_.get(), statement.c_str()), &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    REQUIRE_MESSAGE((status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK),
                    std::string(PQerrorMessage(connection_.get())));
  }

  /// The plans since the last call.
  std::string take_plans() { return std::exchange(plans_, {}); }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::string plans_;
};

/// Workers that claim a hundred runs with each exchange, settle them all, acknowledge notifications
/// that are none, end three quarters and release the rest; and one that vanishes with a hundred.
constexpr const char* worker_calls = R"(
create procedure pg_temp.work(p_version integer, p_rounds integer, p_apart boolean) language plpgsql as $$
declare
  v_worker bigint := weir.join_as_worker('here', 1, 8, 60000);
  v_now    timestamptz := clock_timestamp();
  v_attempt smallint := 1 + p_apart::integer;  -- the first of some was lost with the worker before
  v_runs bigint[] := '{}'; v_ended bigint[]; v_released bigint[];
  v_one smallint[]; v_zero smallint[]; v_index integer[]; v_none integer[];
  v_json jsonb[]; v_text text[]; v_null text[]; v_after bigint[]; v_at timestamptz[];
begin
  perform weir.serve_versions(v_worker, array(select v from generate_series(1, 100) as v),
                              array_fill(null::integer, array[100]), p_first_steps => array_fill(0::smallint, array[100]));
  for v_round in 1 .. p_rounds loop
    v_ended := array(select r from unnest(v_runs) as r where r % 4 <> 0);
    v_released := array(select r from unnest(v_runs) as r where r % 4 = 0);
    v_one := array_fill(1::smallint, array[cardinality(v_runs)]);
    v_zero := array_fill(0::smallint, array[cardinality(v_runs)]);
    v_index := array_fill(0, array[cardinality(v_runs)]);
    v_none := array_fill(null::integer, array[cardinality(v_runs)]);
    v_json := array_fill('1'::jsonb, array[cardinality(v_runs)]);
    v_text := array_fill('1'::text, array[cardinality(v_runs)]);
    v_null := array_fill(null::text, array[cardinality(v_runs)]);
    v_after := array_fill(null::bigint, array[cardinality(v_runs)]);
    v_at := array_fill(v_now, array[cardinality(v_runs)]);
    select coalesce(array_agg(x.run_id) filter (where x.run_id is not null), '{}') into v_runs
    from weir.exchange(
      p_worker => v_worker, p_sequence => v_round, p_lease_ms => 60000,
      j_run => v_ended, j_step => v_zero[1:cardinality(v_ended)], j_index => v_index[1:cardinality(v_ended)],
      j_attempt => array_fill(v_attempt, array[cardinality(v_ended)]),
      j_outcome => v_one[1:cardinality(v_ended)],
      j_output => v_json[1:cardinality(v_ended)], j_error_code => v_null[1:cardinality(v_ended)],
      j_error => v_null[1:cardinality(v_ended)], j_retry_after_ms => v_after[1:cardinality(v_ended)],
      j_started_at => v_at[1:cardinality(v_ended)], j_ended_at => v_at[1:cardinality(v_ended)],
      j_plugin => v_none[1:cardinality(v_ended)],
      e_run => v_ended, e_status => v_one[1:cardinality(v_ended)], e_output => v_json[1:cardinality(v_ended)],
      e_error => v_null[1:cardinality(v_ended)],
      e_failed_step => array_fill(null::smallint, array[cardinality(v_ended)]),
      e_note => v_null[1:cardinality(v_ended)],
      r_run => v_released, r_wake_at => array_fill(null::timestamptz, array[cardinality(v_released)]),
      h_run => v_ended, h_count => v_index[1:cardinality(v_ended)], x_run => '{}', x_event => '{}',
      f_run => v_runs, f_step => v_zero, f_index => v_index, f_attempt => v_one, f_plugin => v_none,
      p_versions => array[p_version], p_claims_max => 100, p_begins_max => 100, p_changes => true, p_apart => p_apart,
      j_text => v_text[1:cardinality(v_ended)], e_text => v_text[1:cardinality(v_ended)]) as x;
    commit;
  end loop;
  update weir.worker set lease = '1 ms', lease_until = clock_timestamp(), spared = true where id = v_worker;
  perform weir.sweep();
end $$)";

void check_joins(const std::string& known, const char* limits) {
  CAPTURE(known);
  PostgresUnderTest stores;
  TestWorker worker(stores);
  const VersionId version = worker.loads(one_step());
  const auto client = stores.client_session();
  AdminSession admin(stores.url());
  for (const char* table : {"open_run", "run", "journal_0", "worker", "flow_limit", "serving"})
    admin.run(fmt::format("alter table weir.{} set (autovacuum_enabled = off)", table));
  if (limits != nullptr) admin.run(limits);
  if (known == "a few rows") must(client->start("totals", std::vector<Json>(20), {}));
  if (known != "nothing") admin.run("analyze");
  must(client->start("totals", std::vector<Json>(2'000), {}));
  if (known == "all rows") admin.run("analyze");

  ExplainedSession explained(stores.url());
  explained.run(worker_calls);
  for (const bool apart : {false, true})
    explained.run(fmt::format("call pg_temp.work({}, 8, {})", version, apart));
  const std::string plans = explained.take_plans();
  REQUIRE(plans.find("insert into weir.journal") != std::string::npos);
  REQUIRE(plans.find("weir.serving s") != std::string::npos);
  std::size_t begin = 0;
  for (std::size_t end = 0; begin < plans.size(); begin = end) {
    end = std::min(plans.find("LOG:", begin + 1), plans.size());
    const std::string plan = plans.substr(begin, end - begin);
    static const std::regex removed("Rows Removed by Join Filter: ([0-9]+)");
    for (std::sregex_iterator i(plan.begin(), plan.end(), removed), none; i != none; ++i)
      CHECK_MESSAGE(std::stoll((*i)[1]) <= 2 * claims_per_exchange, plan);
  }
}

}  // namespace

TEST_SUITE("postgres: joins") {
  TEST_CASE("no statement of a worker compares every row with every other") {
    for (const char* known : {"nothing", "empty tables", "a few rows", "all rows"})
      check_joins(known, nullptr);
  }

  TEST_CASE("C6: no statement of a worker whose flow has limits does so either") {
    for (const char* known : {"nothing", "empty tables", "a few rows", "all rows"})
      check_joins(known,
                  "select weir.set_limits('totals', max_running => 1000, rate => '1000000/1s')");
  }
}
