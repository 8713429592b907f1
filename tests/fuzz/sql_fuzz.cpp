// What random values may not do: every function that the roles weir_client, weir_worker and
// weir_reader may call, called by sessions of these roles with values that nobody can mean, while
// workers of this process run runs that nobody touches. No call may fail by a constraint, an
// internal error, a deadlock or a deadline; the views stay readable, with the odd rows that calls
// left; and no run of the innocent flow is failed, lost or charged.
//
// The role weir_worker is trusted with the ids that are given to it: whoever calls with a worker's
// id is that worker. So the calls name workers of their own, such that ended, and such that do not
// exist, but not those of this process, and their runs are of flows that those do not run. What a
// client may do by right (cancel, pause) is done to other flows than the innocent one; what would
// delete ended runs by right (prune_batch) is rolled back.
//
// A short round by default; WEIR_FUZZ_CALLS and WEIR_FUZZ_RUNS make it longer (script/fuzz sql),
// WEIR_FUZZ_SEED repeats a round as far as races can be repeated.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "fuzz/sql_caller.hpp"
#include "fuzz/sql_values.hpp"
#include "integration/worker/worker_rig.hpp"
#include "store/postgres/postgres_maintenance_store.hpp"
#include "support/admin_session.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TestFlow::Step each(std::string slug) {
  return {.slug = std::move(slug),
          .handler = [](TestCall& call) { return call.output(call.input); },
          .kind = "map"};
}

TestHandler echo() {
  return [](TestCall& call) { return call.output(call.input); };
}

/// The flows of this process's workers, and those that only the calls' own workers run.
struct Flows {
  TestFlow target{"target", {{"echo", echo()}}};
  TestFlow target_map{"target_map", {each("each")}};
  TestFlow target_wait{"target_wait",
                       {TestFlow::wait("go", {}, 3'600'000), {"echo", echo(), {"go"}}}};
  TestFlow target_parent{"target_parent", {TestFlow::child("sub", {}, "target")}};
  TestFlow innocent{"innocent",
                    {{"first", echo()},
                     TestFlow::wait("go", {"first"}, 3'600'000),
                     {"last", returns("1"), {"go"}}}};
  TestFlow held{"held", {{"echo", echo()}, TestFlow::wait("go", {"echo"}, 3'600'000)}};
  TestFlow held_map{"held_map", {each("each")}};

  std::vector<const TestFlow*> served() const {
    return {&target, &target_map, &target_wait, &target_parent, &innocent};
  }
};

/// Rows that the workers of this process stand in have large numbers: no random value meets them.
constexpr const char* numbers_from = "900000001";

/// Keeps what the calls may name up to date, and the innocent runs going.
class Round {
 public:
  explicit Round(std::uint64_t innocent_runs) : innocent_max_(innocent_runs) {}

  /// The `part`th of `parts` sets of the calls' own workers, and all else.
  SqlPools pools(std::size_t part, std::size_t parts) {
    for (int joined = 0; joined < 6; ++joined) claim(join());
    SqlPools pools;
    pools.flows = {"target", "target_map", "target_wait", "target_parent", "held", "held_map"};
    pools.slugs = {"held", "held_map", "odd", "odd_too"};
    pools.definitions = admin_.run(
        "select definition::text from weir.definitions where flow <> 'innocent' limit 20");
    pools.run_uuids = admin_.run(
        "select run_id::text from weir.runs where flow <> 'innocent' order by number desc limit "
        "200");
    pools.versions = admin_.run(
        "select id::text from weir.version where id < 900000000 order by id desc limit 20");
    pools.dead_workers = admin_.run(
        "select id::text from weir.worker where id < 900000000 and (ended_at is not null or "
        "lease_until < now()) "
        "order by id desc limit 20");
    for (const std::string& worker : admin_.run(fmt::format(
             "select id::text from weir.worker where id < 900000000 and ended_at is null and "
             "lease_until > now() and id % {} = {} order by id desc limit 10",
             parts, part))) {
      const auto column = [&](const std::string& query) { return admin_.run(query + worker); };
      pools.sequences[worker] =
          std::stoll(column("select sequence::text from weir.worker where id = ").at(0));
      if (auto runs = column("select run_id::text from weir.open_run where worker_id = ");
          !runs.empty())
        pools.runs[worker] = std::move(runs);
      if (auto shares = column("select id::text from weir.share where worker_id = ");
          !shares.empty())
        pools.shares[worker] = std::move(shares);
    }
    return pools;
  }

  /// Some runs for the calls to name.
  void start_others() {
    // What calls have registered for the versions would refuse these inputs.
    admin_.run("update weir.version set input_schema = null, input_path = null");
    for (const char* flow :
         {"held", "held_map", "target", "target_map", "target_wait", "target_parent"})
      admin_.run(
          fmt::format("select weir.start_many('{0}', array_fill('[1, 2, 3]'::jsonb, array[{1}]), "
                      "version => 1)",
                      flow, std::string_view(flow).starts_with("held") ? 40 : 5));
    // Pauses and limits that calls have set would leave nothing to name.
    for (const std::string& flow :
         admin_.run("select flow from weir.flows where flow <> 'innocent'"))
      admin_.run(fmt::format("select weir.resume('{0}'), weir.set_limits('{0}')", flow));
    admin_.run(
        "update weir.worker set lease_until = clock_timestamp() where id = (select min(id) from "
        "weir.worker "
        "where id < 900000000 and ended_at is null and lease_until > clock_timestamp())");
  }

  void start_innocent(std::uint64_t count) {
    for (; count > 0 && innocent_.size() < innocent_max_; --count) {
      innocent_.push_back(client_.start("innocent", R"({"k": 1})"));
      const auto sent = client_.store().signal(innocent_.back(), "go", Json());
      CHECK_MESSAGE(sent.has_value(), to_string(sent.error()));
    }
  }

  /// Reads all views, and reports as the command line does.
  void look() {
    for (const char* rows :
         {"runs order by number desc limit 100", "flows", "versions", "definitions", "schedules",
          "limits", "plugins", "workers order by worker_id desc limit 100", "shares limit 500",
          "signals limit 500",
          "steps where run_id in (select run_id from weir.runs order by number desc limit 20)",
          "attempts where run_id in (select run_id from weir.runs order by number desc limit 50)"})
      CHECK_NOTHROW(reader_.run(std::string("select count(v::text) from (select * from weir.") +
                                rows + ") as v"));
    RunStore& store = client_.store();
    const auto runs = store.runs({.count_max = 30});
    CHECK_MESSAGE(runs.has_value(), to_string(runs.error()));
    if (runs)
      for (const RunSummary& run : *runs) {
        const auto report = store.report(run.id, true);
        CHECK_MESSAGE(report.has_value(), run.id << ": " << to_string(report.error()));
        CHECK(store.recorded(run.id).has_value());
      }
    CHECK(store.workers(100).has_value());
    CHECK(store.plugins().has_value());
    const auto schedules = schedules_->schedules();
    CHECK_MESSAGE(schedules.has_value(), to_string(schedules.error()));
  }

  /// Whether every innocent run is completed, each of its attempts the first.
  void judge_innocent() {
    start_innocent(innocent_max_);
    const auto open = [] {
      return query_value(
          "select count(*) from weir.runs where flow = 'innocent' and ended_at is null");
    };
    CHECK(eventually([&] { return open() == "0"; }));
    for (const std::string& run :
         admin_.run("select concat_ws(' ', r, array(select a::text from weir.attempts a where "
                    "a.run_id = r.run_id)) "
                    "from weir.runs r where r.flow = 'innocent' and r.status <> 'completed'"))
      FAIL_CHECK("not completed: " << run);
    CHECK(query_value(
              "select count(*) from weir.runs where flow = 'innocent' and status = 'completed'") ==
          std::to_string(innocent_max_));
    CHECK(query_value(
              "select count(*) from weir.attempts a join weir.runs r using (run_id) where r.flow = "
              "'innocent' and (a.outcome <> 'completed' or a.attempt <> 1)") == "0");
    CHECK(query_value(
              "select count(*) from weir.worker where id >= 900000000 and ended_at is not null") ==
          "0");
  }

 private:
  std::string join() {
    return admin_.run("select weir.join_as_worker('fuzz', 1, 4, 3600000)::text").at(0);
  }

  void claim(const std::string& worker) {
    const auto versions =
        admin_
            .run(
                "select coalesce(array_agg(id), '{}')::text from weir.version where id < 900000000")
            .at(0);
    owner_.call_plainly("exchange", {{"p_worker", worker},
                                     {"p_sequence", "1"},
                                     {"p_lease_ms", "3600000"},
                                     {"p_versions", versions},
                                     {"p_claims_max", "5"}});
    admin_.run("select weir.serve_flow(" + worker + ", 'held_map')");
    admin_.run("select weir.take_shares(" + worker + ", '" + versions + "', 1)");
    admin_.run(
        "select weir.offer_shares(o.worker_id, o.run_id, 0::smallint, 1::smallint, '{0}', "
        "array['[1, 2]'::jsonb])"
        " from weir.open_run o where o.worker_id = " +
        worker + " limit 1");
  }

  AdminSession admin_{database()};
  AdminSession reader_{database() + "&options=-c%20role%3Dweir_reader"};
  SqlCaller owner_{database(), "weir_worker"};
  TestClient client_;
  std::unique_ptr<MaintenanceStore> schedules_ = [] {
    auto opened = postgres::open_maintenance_store(database(), false);
    REQUIRE(opened);
    return *std::move(opened);
  }();
  const std::uint64_t innocent_max_;
  std::vector<std::string> innocent_;
};

/// Sessions of the three roles, and the values of one thread.
struct Caller {
  explicit Caller(std::uint64_t seed) : values(seed) {}

  void call(std::uint64_t count) {
    try {
      for (; count > 0; --count) {
        const std::uint64_t which = values.below(10);
        (which < 6 ? worker : which < 9 ? client : reader).call(values, outcomes);
      }
    } catch (const std::exception& broken) {
      failed = broken.what();
    }
  }

  SqlValues values;
  SqlCaller worker{database(), "weir_worker"}, client{database(), "weir_client"},
      reader{database(), "weir_reader"};
  SqlOutcomes outcomes;
  std::string failed;
};

}  // namespace

TEST_SUITE_BEGIN("fuzz: SQL");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "random values are refused in our words and harm no run of others") {
  const std::uint64_t seed = setting("WEIR_FUZZ_SEED", std::random_device()());
  const std::uint64_t calls = setting("WEIR_FUZZ_CALLS", 4'000);
  const std::uint64_t innocent_runs = setting("WEIR_FUZZ_RUNS", 100);
  const std::uint64_t batch = std::clamp<std::uint64_t>(calls / 40, 250, 2'500);  // of each thread
  INFO("repeat with WEIR_FUZZ_SEED=" << seed << " WEIR_FUZZ_CALLS=" << calls);

  const Flows flows;
  AdminSession admin(database());
  const auto number_from = [&](const std::string& number) {
    admin.run("alter table weir.version alter id restart with " + number);
    admin.run("alter table weir.worker alter id restart with " + number);
  };
  number_from(numbers_from);
  admin.run("alter table weir.run alter id restart with 5000000000");
  WorkerOptions options = RunningWorker::quick();
  options.lease = std::chrono::seconds(600);
  const RunningWorker first(flows.served(), options), second(flows.served(), options);
  REQUIRE(eventually(
      [&] { return query_value("select count(*) from weir.worker where sequence > 0") == "2"; }));
  number_from("1");
  {
    const RunningWorker registers({&flows.held, &flows.held_map});
  }

  std::vector<std::unique_ptr<Caller>> callers;
  for (std::uint64_t i = 0; i < 2; ++i) callers.push_back(std::make_unique<Caller>(seed + i));
  Round round(innocent_runs);
  const std::uint64_t rounds = std::max<std::uint64_t>(1, calls / (batch * callers.size()));
  for (std::uint64_t i = 0; i < rounds; ++i) {
    round.start_others();
    for (std::size_t part = 0; part < callers.size(); ++part)
      callers[part]->values.pools = round.pools(part, callers.size());
    std::vector<std::jthread> threads;
    for (const auto& caller : callers)
      threads.emplace_back([&caller, batch] { caller->call(batch); });
    round.start_innocent(innocent_runs / rounds + 1);
    threads.clear();
    round.look();
    for (const auto& caller : callers) REQUIRE_MESSAGE(caller->failed.empty(), caller->failed);
  }
  round.judge_innocent();

  SqlOutcomes all;
  for (const auto& caller : callers) all.add(caller->outcomes);
  if (std::getenv("WEIR_FUZZ_CALLS") != nullptr)
    MESSAGE(fmt::format("{} calls, seed {}\n{}", all.calls(), seed, all.table()));
  for (const auto& [what, examples] : all.faults)
    for (const std::string& example : examples) FAIL_CHECK(what << ": " << example);
}

TEST_SUITE_END();
