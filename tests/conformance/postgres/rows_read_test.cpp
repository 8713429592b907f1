// What a call reads does not grow with what is none of its business: open runs, versions, runs that
// are over, workers that are gone.
#include <cstdlib>
#include <map>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "support/admin_session.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// How many times as many there are the second time; 1000 for the table of the docs.
int factor() {
  const char* const wanted = std::getenv("WEIR_ROWS_FACTOR");
  return wanted == nullptr ? 20 : std::stoi(wanted);
}

// A database with so many open runs (a tenth of them asleep), versions, finished runs (one in 500
// failed or tagged) and workers that ended.
class Crowd {
 public:
  explicit Crowd(int times) {
    TestWorker worker(stores_);
    version_ = worker.loads(one_step());
    admin_.run(fmt::format(
        "insert into weir.flow (slug) select 'flow' || n from generate_series(1, {}) as n", times));
    admin_.run(
        "insert into weir.version (flow_id, number, module, fingerprint, definition, "
        "maps_over_input) select id, 1, slug, encode(sha256(slug::bytea), 'hex'), '{}', false "
        "from weir.flow where slug <> 'totals'");
    admin_.run(fmt::format(
        "insert into weir.run (uuid, version_id, status, priority, input, tags, "
        "created_at, available_at, ended_at) select weir.uuid7(), {}, case when n % 500 "
        "= 7 then 2 else 1 end, 0, 'null', case when n % 500 = 9 then array['rare'] "
        "else '{{}}' end, now() - interval '2 h', now(), now() - interval '2 h' from "
        "generate_series(1, {}) as n",
        version_, 1'000 * times));
    admin_.run(
        fmt::format("insert into weir.worker (host, pid, slots, lease_until, ended_at, end_reason) "
                    "select 'h', n, 1, now(), now(), 'left' from generate_series(1, {}) as n",
                    10 * times));
    const auto client = stores_.client_session();
    must(client->start("totals", std::vector<Json>(static_cast<std::size_t>(90 * times)), {}));
    must(client->start("totals", std::vector<Json>(static_cast<std::size_t>(10 * times)),
                       {.delay = std::chrono::hours(1)}));
    admin_.run("analyze");
  }

  VersionId version() const { return version_; }

  /// Every run now has its number as its input; they have an index.
  void index_inputs() {
    admin_.run("update weir.run set input = jsonb_build_object('number', id)");
    admin_.run("create index run_input on weir.run using gin (input jsonb_path_ops)");
    admin_.run("vacuum (analyze) weir.run");
  }

  /// How many rows of Weir's tables a statement reads, of tables and of indexes.
  long read_by(const std::string& statement) {
    AdminSession session(stores_.url());
    session.run("begin");
    session.run(statement);
    return std::stol(
        session
            .run("select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::text from "
                 "pg_stat_xact_user_tables where schemaname = 'weir' and relname not in ('flow', "
                 "'version', 'step')")
            .front());
  }

 private:
  PostgresUnderTest stores_;
  AdminSession admin_{stores_.url()};
  VersionId version_ = 0;
};

const std::string no_arrays =
    "'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', "
    "'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'";

}  // namespace

TEST_SUITE("postgres: rows read") {
  TEST_CASE("what a call reads does not grow with what is none of its business") {
    std::map<std::string, std::string> calls{
        {"exchange that claims 10",
         "do $$ declare w bigint := weir.join_as_worker('h', 1, 8, 60000); begin perform * from "
         "weir.exchange(w, 1, 60000, " +
             no_arrays + ", array[VERSION], 10, true); end $$"},
        {"exchange that claims nothing",
         "do $$ declare w bigint := weir.join_as_worker('h', 1, 8, 60000); begin perform * from "
         "weir.exchange(w, 1, 60000, " +
             no_arrays + ", array[VERSION], 0, true); end $$"},
        {"start", "select * from weir.start('totals', '1')"},
        {"sweep", "select weir.sweep()"},
        {"prune, nothing old",
         "select * from weir.prune_batch('3 h', '{}', '{}', 1000, 0, 0, true)"},
        {"prune, kept by another flow's age",
         "select * from weir.prune_batch('1 h', array['totals'], array['3 h']::interval[], 1000, "
         "0, 0, true)"},
        {"list of failed runs",
         "select * from weir.newest_runs(status => 'failed', count_max => 1)"},
        {"list of cancelled runs", "select * from weir.newest_runs(status => 'cancelled')"},
        {"list of a flow's failed runs",
         "select * from weir.newest_runs('totals', status => 'failed', count_max => 1)"},
        {"list of the runs of a year ago",
         "select * from weir.newest_runs(until => now() - interval '1 y')"},
    };
    std::map<std::string, std::pair<long, long>> read;
    {
      Crowd few(1);
      for (auto& [name, call] : calls) {
        const auto place = call.find("VERSION");
        if (place != std::string::npos) call.replace(place, 7, std::to_string(few.version()));
        read[name].first = few.read_by(call);
      }
    }
    Crowd many(factor());
    for (const auto& [name, call] : calls) {
      read[name].second = many.read_by(call);
      CAPTURE(name);
      MESSAGE(name << ": " << read[name].first << " rows, with " << factor() << " times as many "
                   << read[name].second);
      CHECK(read[name].second <= read[name].first + 60);  // an index is deeper
    }
  }

  TEST_CASE("a rare tag is found by the tag behind the newest 10,000 runs") {
    Crowd many(30);
    const long read =
        many.read_by("select * from weir.newest_runs(tag => 'rare', count_max => 50)");
    CHECK_MESSAGE(read <= 10'000 + 3 * 60, read);
  }
  TEST_CASE("a rare tag of a flow is found by the tag") {
    Crowd many(30);
    const long read =
        many.read_by("select * from weir.newest_runs('totals', tag => 'rare', count_max => 50)");
    CHECK_MESSAGE(read <= 10'000 + 3 * 60, read);
  }

  TEST_CASE("what an input contains is found by the operator's index") {
    Crowd many(30);
    const char* const old = "select * from weir.newest_runs(input_contains => '{\"number\": 77}')";
    CHECK(many.read_by(old) >= 30'000);
    many.index_inputs();
    const long read = many.read_by(old);
    CHECK_MESSAGE(read <= 10'000 + 3 * 60, read);
    const long of_flow = many.read_by(
        "select * from weir.newest_runs('totals', input_contains => '{\"number\": 77}')");
    CHECK_MESSAGE(of_flow <= 10'000 + 3 * 60, of_flow);
  }

  TEST_CASE("weir.versions reads each open run once however many versions there are") {
    Crowd many(factor());
    const long read = many.read_by("select * from weir.versions");
    CHECK_MESSAGE(read <= 100 * factor() + 60, read);
  }

  TEST_CASE("a call looks only into the tables that its work concerns") {
    PostgresUnderTest stores;
    TestWorker worker(stores);
    const VersionId version = worker.loads(one_step());
    const auto tables_of = [&](const std::string& statement) {
      AdminSession session(
          stores.url());  // what another transaction of it read would count as well
      session.run("begin");
      session.run(statement);
      const std::string tables =
          session
              .run(
                  "select string_agg(distinct regexp_replace(relname, '^journal.*', 'journal'), "
                  "' ') from pg_stat_xact_user_tables where schemaname = 'weir' and "
                  "coalesce(seq_scan, 0) + coalesce(idx_scan, 0) + n_tup_ins > 0")
              .front();
      session.run("commit");
      return tables;
    };
    const auto exchange = [&](int sequence, std::string_view journal, std::string_view ends,
                              int claims) {
      return tables_of(fmt::format(
          "select * from weir.exchange({}, {}, 60000, {}, {}, '{{}}', '{{}}', '{{}}', '{{}}', "
          "'{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', '{{}}', array[{}], {}, "
          "p_begins_max => 8, p_parents => false, p_children => false, p_shares => false, "
          "p_changes => true)",
          worker.id, sequence, journal, ends, version, claims));
    };
    const std::string nothing_settled =
        "'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'";
    const std::string nothing_ended = "'{}', '{}', '{}', '{}', '{}', '{}'";

    CHECK(tables_of("select weir.start('totals', '1')") ==
          "adoption flow flow_limit open_run run serving version worker");
    CHECK(exchange(1, nothing_settled, nothing_ended, 0) ==
          "flow listening open_run uptime worker");
    CHECK(exchange(2, nothing_settled, nothing_ended, 8) ==
          "flow flow_limit listening open_run run serving uptime worker");
    const std::string run = stores.sql("select run_id::text from weir.open_run").front();
    CHECK(exchange(
              3,
              fmt::format("'{{{0}}}', '{{0}}', '{{0}}', '{{1}}', '{{1}}', '{{1}}', '{{null}}', "
                          "'{{null}}', '{{null}}', array[now()], array[now()], '{{null}}'",
                          run),
              fmt::format("'{{{0}}}', '{{1}}', '{{1}}', '{{null}}', '{{null}}', '{{null}}'", run),
              0) == "flow journal listening open_run run uptime worker");
  }
}
