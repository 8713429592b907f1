// A transaction that somebody leaves open may hold up the run that it has locked, and nothing else.
#include <set>
#include <thread>

#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/test_worker.hpp"
#include "store/share_store.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;
using Rows = std::vector<std::string>;

namespace {

RunEnd all_well() { return {.output = Json()}; }

FlowDraft parent_of_totals() {
  FlowDraft::Step sub = of_kind("flow", "sub");
  sub.flow = "totals";
  FlowDraft::Step other = sub;
  other.slug = "other";
  return named("parent", flow({sub, other}));
}

// A worker that holds two runs, and a user with a session.
struct Open {
  Open() {
    worker.loads(one_step());
    worker.loads(parent_of_totals());
    first = claimed("totals");
    second = claimed("totals");
  }
  ClaimedRun claimed(const std::string& flow) {
    must(client->start(flow, {Json()}, {}));
    return worker.claim_one();
  }
  ClaimedRun child_of(const ClaimedRun& parent, std::size_t step = 0) {
    must(worker.starts_child(parent.run, step, 1, "totals", Json()));
    return worker.claim_one();
  }
  void claimed_all() {
    while (!worker.claim(10).empty()) {
    }
  }
  // The user locks the run, and does not commit.
  void locks(const ClaimedRun& run) {
    user.run("begin");
    user.run(fmt::format("select weir.cancel('{}', 'enough')", run.id));
  }
  // The user's transaction is committed as soon as somebody waits for one of its locks.
  std::jthread commits_when_waited_for() {
    return std::jthread([this] {
      eventually([this] { return stores.waiting_for_locks() > 0; });
      user.run("commit");
    });
  }
  std::string status(const ClaimedRun& run) {
    return stores.sql(fmt::format("select status from weir.runs where run_id = '{}'", run.id))
        .front();
  }
  ExchangeReply ends(const std::vector<ClaimedRun>& runs, const RunEnd& end = all_well(),
                     bool expects_busy = false) {
    ExchangeRequest request = worker.next();
    request.expects_busy = expects_busy;
    for (const ClaimedRun& run : runs) request.ended.push_back({run.run, end});
    return worker.exchange(request);
  }

  PostgresUnderTest stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  AdminSession user{stores.url()};
  ClaimedRun first, second;
};

// The worker has a run that maps over four numbers; a helper has both halves of it.
struct Shared : Open {
  Shared() {
    worker.loads(named("wide", flow({of_kind("map", "m")})));
    helper.versions = worker.versions;
    must(helper.session->flows().serve_versions(helper.id, {{worker.versions.back(), {}}}));
    must(client->start("wide", {json("[0,1,2,3]")}, {}));
    wide = worker.claim_one();
    must(worker.session->shares()->offer_shares(
        worker.id, wide.run,
        std::vector<OfferedRange>{
            {.step = 0, .attempt = 1, .first = 0, .inputs = {Json(), Json()}},
            {.step = 0, .attempt = 1, .first = 2, .inputs = {Json(), Json()}}}));
    taken = must(helper.session->shares()->take_shares(helper.id, helper.versions, 2, {}));
    REQUIRE(taken.size() == 2);
    helper.exchange(helper.next());
  }
  // A handler settles element 0, and does not commit; or its large result is to be written.
  void handler_settles(bool large = false) {
    handler.run("begin");
    if (large)
      handler.run(
          fmt::format("select weir.own_attempt({}, {}, {}, 0::smallint, 0, 1::smallint)::text",
                      helper.id, wide.run, taken.at(0).share));
    else
      handler.run(
          fmt::format("select weir.settle({}, {}, 0::smallint, 0, 1::smallint, '7', null, now(), "
                      "now() + interval '1 h', {})",
                      helper.id, wide.run, taken.at(0).share));
  }
  // The first element of each share is in flight.
  void helper_runs_both() {
    helper.in_flight = {{.run = wide.run, .task = {.step = 0, .index = 0}},
                        {.run = wide.run, .task = {.step = 0, .index = 2}}};
  }
  // After a sweep: what the handler has locked is not lost, and ends as `outcome` once it commits.
  void only_the_other_is_swept_before_the_commit(Outcome outcome) {
    auto rows = journal_of(*worker.session, wide.run);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].task.index == 2);
    CHECK(rows[0].outcome == Outcome::lost);
    handler.run("commit");
    CHECK(must(worker.session->sweep()) == 1);
    rows = journal_of(*worker.session, wide.run);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].outcome == outcome);
  }

  TestWorker helper{stores};
  ClaimedRun wide;
  std::vector<TakenShare> taken;
  AdminSession handler{stores.url()};
};

using Keys = std::set<RunKey>;

}  // namespace

TEST_SUITE("postgres: open transactions") {
  TEST_CASE(
      "C2: a run that is started after a pause is not claimed by an exchange that began before") {
    Open a;
    const ClaimedRun ends[] = {a.first, a.second};
    a.stores.let_exchanges_wait();
    for (const ClaimedRun& run : ends) {
      a.user.run("begin");
      a.user.run(
          fmt::format("select 1::text from weir.open_run where run_id = {} for update", run.run));
      ExchangeRequest request = a.worker.next(5);
      request.ended.push_back({run.run, all_well()});
      ExchangeReply reply;
      {
        const std::jthread exchanging([&] { reply = a.worker.exchange(request); });
        const bool waits = eventually([&] {  // at the lock of that run; it has read what is paused
          return a.stores.waiting_for_locks() == 1;
        });
        must(a.client->pause("totals"));
        must(a.client->start("totals", {Json()}, {}));
        a.user.run("commit");
        REQUIRE(waits);
      }
      CHECK(reply.claimed.empty());
      must(a.client->resume("totals"));
      a.claimed_all();
    }
  }

  TEST_CASE("L8: a cancel that is not committed holds up the end of its own run alone") {
    Open a;
    a.locks(a.first);
    ExchangeRequest request = a.worker.next();
    for (const ClaimedRun& run : {a.first, a.second}) {
      request.settled.push_back({run.run, completed(0, 0, 1, "5"), {}});
      request.ended.push_back({run.run, all_well()});
    }
    const ExchangeReply reply = a.worker.exchange(request);
    CHECK(reply.busy == Keys{a.first.run});
    CHECK(reply.refused.empty());
    CHECK(a.worker.exchange(request).busy == Keys{a.first.run});  // the same answer again (L6)
    CHECK(a.status(a.first) == "running");
    CHECK(a.status(a.second) == "completed");
    CHECK(journal_of(*a.worker.session, a.first.run).size() == 1);
    CHECK(a.ends({a.first}, all_well(), true).busy == Keys{a.first.run});
    a.user.run("rollback");
    CHECK(a.ends({a.first}, all_well(), true).busy.empty());
    CHECK(a.status(a.first) == "completed");
  }

  TEST_CASE("L8: a cancel that is not committed holds up the release of its own run alone") {
    Open a;
    a.locks(a.first);
    ExchangeRequest request = a.worker.next();
    request.released = {{a.first.run, on_notification_only}, {a.second.run, on_notification_only}};
    CHECK(a.worker.exchange(request).busy == Keys{a.first.run});
    CHECK(a.worker.exchange(request).busy == Keys{a.first.run});
    CHECK(a.stores
              .sql(fmt::format("select worker_id is null from weir.open_run where run_id = {}",
                               a.second.run))
              .front() == "t");
    a.user.run("commit");
    request = a.worker.next();
    request.released = {{a.first.run, on_notification_only}};
    CHECK(a.worker.exchange(request).busy.empty());
    CHECK(a.status(a.first) == "cancelled");  // nobody holds it: the cancel has ended it
  }

  TEST_CASE(
      "L6: while somebody has locked the whole journal nothing is written and all is repeated") {
    Open a;
    a.user.run("begin");
    a.user.run("lock table weir.journal");
    ExchangeRequest request = a.worker.next();
    request.settled = {{a.first.run, completed(0, 0, 1, "5"), {}}};
    request.ended = {{a.first.run, all_well()}, {a.second.run, all_well()}};
    const auto reply = a.worker.session->exchange(request);
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().code == ErrorCode::unavailable);
    CHECK(a.status(a.second) == "running");
    a.user.run("commit");
    CHECK(a.worker.exchange(request).busy.empty());
    CHECK(a.status(a.first) == "completed");
    CHECK(journal_of(*a.worker.session, a.first.run).size() == 1);
  }

  TEST_CASE("L8: what a locked run has been notified of is acknowledged later") {
    Open a;
    must(a.client->cancel(a.first.id, "enough"));
    must(a.client->cancel(a.second.id, "enough"));
    CHECK(a.worker.exchange(a.worker.next()).notifications.size() == 2);
    a.user.run("begin");
    a.user.run(
        fmt::format("select 1 from weir.open_run where run_id = {} for update", a.first.run));
    ExchangeRequest request = a.worker.next();
    request.acknowledged = {{a.first.run, 1}, {a.second.run, 1}};
    const ExchangeReply reply = a.worker.exchange(request);
    CHECK(reply.busy.empty());
    CHECK(reply.notifications.size() == 1);
    CHECK(reply.notifications.contains(a.first.run));
    a.user.run("commit");
    request = a.worker.next();
    request.acknowledged = {{a.first.run, 1}};
    CHECK(a.worker.exchange(request).notifications.empty());
  }

  TEST_CASE("L8: a locked parent holds up the ends of its own child runs alone") {
    Open a;
    const ClaimedRun parent = a.claimed("parent");
    const ClaimedRun child = a.child_of(parent);
    a.locks(parent);
    CHECK(a.ends({child, a.first}).busy == Keys{child.run});
    CHECK(a.status(a.first) == "completed");
    a.user.run("rollback");
    CHECK(a.ends({child}).busy.empty());
    CHECK(a.worker.exchange(a.worker.next()).notifications.at(parent.run).children.size() == 1);
  }

  TEST_CASE("L8: a locked child run holds up the end of its own parent alone") {
    Open a;
    const ClaimedRun parent = a.claimed("parent");
    const ClaimedRun child = a.child_of(parent);
    a.locks(child);
    CHECK(a.ends({parent, a.first}, {.status = RunStatus::failed, .error = "no"}).busy ==
          Keys{parent.run});
    CHECK(a.status(a.first) == "failed");
    a.user.run("rollback");
    CHECK(a.ends({parent}, {.status = RunStatus::failed, .error = "no"}).busy.empty());
    CHECK(a.worker.exchange(a.worker.next()).notifications.at(child.run).cancelled ==
          "its parent run failed");
  }

  TEST_CASE("L8: a locked parent holds up the starts of its own child runs alone") {
    Open a;
    const ClaimedRun locked = a.claimed("parent"), free = a.claimed("parent");
    a.locks(locked);
    std::vector<ChildStart> children;
    for (const ClaimedRun& parent : {locked, free})
      for (const std::size_t step : {0U, 1U})
        children.push_back(
            {.parent = parent.run, .step = step, .attempt = 1, .flow = "totals", .input = Json()});
    const auto started = must(a.worker.session->start_children(a.worker.id, long_lease, children));
    REQUIRE(started.size() == 4);
    for (const std::size_t i : {0U, 1U}) {
      REQUIRE_FALSE(started[i].has_value());
      CHECK(started[i].error().code == ErrorCode::unavailable);
      CHECK(started[i].error().kind == "try_again");
    }
    CHECK(started[2].has_value());
    CHECK(started[3].has_value());
    CHECK(a.worker.claim(5).size() == 2);
  }

  TEST_CASE("L8: a sweep leaves what is locked and takes everything else from a lapsed worker") {
    Open a;
    const ClaimedRun parent = a.claimed("parent");
    const ClaimedRun child = a.child_of(parent);
    must(a.client->cancel(parent.id, "enough"));  // its worker does not act on it
    a.locks(child);
    a.worker.lapses(*a.client);
    TestWorker next(a.stores);
    next.versions = a.worker.versions;
    CHECK(must(next.session->sweep()) == 0);
    CHECK(next.claim(9).size() == 2);
    CHECK(a.status(parent) == "running");
    a.user.run("rollback");
    CHECK(must(next.session->sweep()) == 1);
    CHECK(a.status(parent) == "cancelled");
  }

  TEST_CASE("L8: limits that somebody is changing hold up the runs of their own flow alone") {
    Open a;
    const VersionId limited = a.worker.loads(named("limited", one_step()));
    a.stores.sql("select weir.set_limits('limited', max_running => 1)");
    must(a.client->start("limited", {Json()}, {}));
    must(a.client->start("totals", {Json()}, {}));
    a.user.run("begin");
    a.user.run("select weir.set_limits('limited', max_running => 2)");
    const ExchangeReply reply = a.worker.exchange(a.worker.next(5));
    REQUIRE(reply.claimed.size() == 1);
    CHECK(reply.claimed.front().version != limited);
    CHECK(reply.next_wake_at.has_value());  // it looks again soon
    a.user.run("commit");
    CHECK(a.worker.claim_one().version == limited);
  }

  TEST_CASE("L8: a crash ends its worker though somebody has locked one of its runs") {
    Open a;
    a.locks(a.first);
    a.stores.sql(
        fmt::format("select weir.end_crashed_worker({}, null, null, null, null, null, "
                    "'it crashed', '{{}}', '{{}}', '{{}}', '{{}}')",
                    a.worker.id));
    TestWorker next(a.stores);
    next.versions = a.worker.versions;
    CHECK(next.claim_one().run == a.second.run);
    a.user.run("rollback");
    must(next.session->sweep());
    CHECK(next.claim_one().run == a.first.run);
  }

  TEST_CASE("L8: limits that somebody is changing stop no worker that would set them") {
    Open a;
    a.user.run("begin");
    a.user.run("select weir.set_limits('totals', max_running => 2)");
    const auto set = a.worker.session->flows().set_limits("totals", {.max_running = 3});
    REQUIRE_FALSE(set.has_value());
    CHECK(set.error().kind == "try_again");
  }

  TEST_CASE("L2: a lapsed worker that starts child runs waits for a sweep that is under way") {
    Open a;
    const ClaimedRun parent = a.claimed("parent");
    a.worker.lapses(*a.client);
    a.user.run("begin");
    a.user.run("select 1 from weir.uptime for update");
    const std::jthread sweeping = a.commits_when_waited_for();
    const auto started = a.worker.starts_child(parent.run, 0, 1, "totals", Json());
    REQUIRE_FALSE(started.has_value());
    CHECK(started.error().code == ErrorCode::lease_lost);
  }

  TEST_CASE("V3: of adoptions in opposite directions at the same time one holds") {
    Open a;
    a.worker.loads(with_attempts(9));
    a.user.run("begin");
    a.user.run("select weir.adopt('totals', 1, 2)");
    {
      AdminSession other(a.stores.url());
      const std::jthread adopting([&] { other.run("select weir.adopt('totals', 2, 1)"); });
      REQUIRE(eventually([&] { return a.stores.waiting_for_locks() > 0; }));
      const auto adopted = a.worker.session->flows().adopt_older(a.worker.versions.back());
      REQUIRE_FALSE(adopted.has_value());  // no worker waits for either
      CHECK(adopted.error().kind == "try_again");
      a.user.run("commit");
    }
    CHECK(a.stores.sql("select v.number from weir.adoption a join weir.version v on v.id = "
                       "a.to_version") == Rows{"1"});
  }

  TEST_CASE("L8: a parent that fails while its child run completes elsewhere waits for nobody") {
    Open a;
    TestWorker other(a.stores);
    other.versions = a.worker.versions;
    for (int round = 0; round < 20; ++round) {
      const ClaimedRun parent = a.claimed("parent");
      must(a.worker.starts_child(parent.run, 0, 1, "totals", Json()));
      const ClaimedRun child = other.claim_one();
      ExchangeRequest completes = other.next();
      completes.ended = {{child.run, all_well()}};
      Keys child_busy;
      {
        const std::jthread completing([&] { child_busy = other.exchange(completes).busy; });
        for (Keys busy = a.ends({parent}, {.status = RunStatus::failed, .error = "no"}).busy;
             !busy.empty();)
          busy = a.ends({parent}, {.status = RunStatus::failed, .error = "no"}, true).busy;
      }
      if (!child_busy.empty()) {
        completes = other.next();
        completes.ended = {{child.run, all_well()}};
        CHECK(other.exchange(completes).busy.empty());
      }
      CHECK(a.status(parent) == "failed");
      CHECK(a.status(child) == "completed");
    }
    CHECK(a.stores.sql("select deadlocks from pg_stat_database where datname = current_database()")
              .front() == "0");
  }
}

TEST_SUITE("postgres: a handler's own transaction that is left open") {
  TEST_CASE("L8: of a shared element it holds up the end of its run and no other") {
    Shared a;
    a.handler_settles();
    CHECK(a.ends({a.wide, a.first}).busy == Keys{a.wide.run});
    CHECK(a.status(a.first) == "completed");
    a.handler.run("commit");
    CHECK(a.ends({a.wide}).busy.empty());
    CHECK(a.status(a.wide) == "completed");
  }

  TEST_CASE("L8: of a shared element it holds up what is done with this share and no other") {
    Shared a;
    a.handler_settles();
    ShareStore& shares = *a.helper.session->shares();
    const auto returned = shares.return_share(a.helper.id, a.taken.at(0).share, 0);
    REQUIRE_FALSE(returned.has_value());
    CHECK(returned.error().kind == "try_again");
    CHECK(shares.return_share(a.helper.id, a.taken.at(1).share, 0).has_value());
    const auto dropped = a.worker.session->shares()->drop_shares(a.worker.id, a.wide.run, 0);
    REQUIRE_FALSE(dropped.has_value());
    CHECK(dropped.error().kind == "try_again");
    a.handler.run("rollback");
    must(shares.return_share(a.helper.id, a.taken.at(0).share, 0));
    must(a.worker.session->shares()->drop_shares(a.worker.id, a.wide.run, 0));
  }

  TEST_CASE("L8: of a shared element it keeps this share from a sweep and no other") {
    Shared a;
    a.helper_runs_both();
    a.handler_settles();
    a.helper.lapses(*a.client);
    CHECK(must(a.worker.session->sweep()) == 0);
    CHECK(must(a.worker.session->shares()->helpers_for(a.worker.id, a.wide.run)).available == 1);
    a.only_the_other_is_swept_before_the_commit(Outcome::completed);
    CHECK(must(a.worker.session->shares()->helpers_for(a.worker.id, a.wide.run)).available == 2);
  }

  TEST_CASE("L8: of a shared element it keeps share and run from a sweep of who has both") {
    for (const bool large : {false, true}) {
      CAPTURE(large);
      Shared a;
      ExchangeRequest release = a.worker.next();
      release.released.push_back({a.wide.run, {}});
      a.worker.exchange(release);
      REQUIRE(a.helper.claim_one().run == a.wide.run);
      a.helper_runs_both();
      a.handler_settles(large);
      a.helper.lapses(*a.client);
      CHECK(must(a.worker.session->sweep()) == 0);
      CHECK(a.stores.sql(fmt::format("select worker_id::text from weir.open_run where run_id = {}",
                                     a.wide.run)) ==
            std::vector<std::string>{std::to_string(a.helper.id)});
      a.only_the_other_is_swept_before_the_commit(large ? Outcome::lost : Outcome::completed);
    }
  }

  TEST_CASE("L8: of a shared element it keeps this share from a worker that leaves and no other") {
    Shared a;
    a.handler_settles();
    must(a.helper.session->leave(a.helper.id));
    CHECK(must(a.worker.session->shares()->helpers_for(a.worker.id, a.wide.run)).available == 1);
    a.handler.run("rollback");
    must(a.worker.session->sweep());
    CHECK(must(a.worker.session->shares()->helpers_for(a.worker.id, a.wide.run)).available == 2);
    CHECK(journal_of(*a.worker.session, a.wide.run).empty());
  }

  TEST_CASE("L5: a worker with shares leaves when a partition of the journal has been made") {
    Shared a;
    a.user.run("begin");
    a.user.run("lock table only weir.journal in access exclusive mode");
    const std::jthread making = a.commits_when_waited_for();
    must(a.helper.session->leave(a.helper.id));
    CHECK(must(a.worker.session->shares()->helpers_for(a.worker.id, a.wide.run)).available == 2);
  }
}

TEST_SUITE("postgres: values that it cannot store") {
  TEST_CASE("F9: a run whose output PostgreSQL refuses is the only one that is refused") {
    Open a;
    ExchangeRequest request = a.worker.next();
    request.settled = {{a.first.run, completed(0, 0, 1, "1"), {}},
                       {a.second.run, completed(0, 0, 1, "5"), {}}};
    request.settled[0].row.output = Json::trusted("0e2000000000");  // numeric has 131072 digits
    request.ended = {{a.second.run, all_well()}, {a.first.run, all_well()}};
    const ExchangeReply reply = a.worker.exchange(request);
    CHECK(reply.busy.empty());
    REQUIRE(reply.refused.size() == 1);
    CHECK(reply.refused.at(a.first.run) == "value overflows numeric format");
    CHECK(a.worker.exchange(request).refused.contains(a.first.run));  // the same again (L6)
    CHECK(journal_of(*a.worker.session, a.first.run).empty());
    CHECK(a.status(a.first) == "running");
    CHECK(a.status(a.second) == "completed");
    CHECK(a.ends({a.first}, {.status = RunStatus::failed, .error = "refused"}).refused.empty());
  }

  TEST_CASE("F9: a run whose own output PostgreSQL refuses keeps what was settled of it") {
    Open a;
    ExchangeRequest request = a.worker.next();
    request.settled = {{a.first.run, completed(0, 0, 1, "1"), {}}};
    request.ended = {{a.first.run, {.output = Json::trusted("[0e2000000000]")}}};
    CHECK(a.worker.exchange(request).refused.contains(a.first.run));
    CHECK(journal_of(*a.worker.session, a.first.run).size() == 1);
    CHECK(a.status(a.first) == "running");
  }

  TEST_CASE("F9: a map whose output is too large for one value does not make its run unreadable") {
    Open a;
    a.worker.loads(named("wide", flow({of_kind("map", "m")})));
    must(a.client->start("wide", {Json::array(std::vector<Json>(18))}, {}));
    const ClaimedRun wide = a.worker.claim_one();
    a.stores.sql(
        fmt::format("insert into weir.journal (run_id, step, task_index, attempt, outcome, output, "
                    "started_at, ended_at, worker_id) select {}, 0, n, 1, 1, to_jsonb(repeat('x', "
                    "15000000)), now(), now(), {} from generate_series(0, 17) as n",
                    wide.run, a.worker.id));
    CHECK(a.stores.sql(fmt::format("select status || ' ' || tasks_completed || ' ' || (output is "
                                   "null) from weir.steps where run_id = '{}'",
                                   wide.id)) == Rows{"completed 18 true"});
  }

  TEST_CASE("F9: an input that PostgreSQL refuses is the fault of that child run alone") {
    Open a;
    const ClaimedRun parent = a.claimed("parent");
    const auto started = must(a.worker.session->start_children(
        a.worker.id, long_lease,
        {{parent.run, 0, 1, "totals", Json::trusted("0e2000000000")},
         {parent.run, 1, 1, "totals", Json()}}));
    REQUIRE_FALSE(started.at(0).has_value());
    CHECK(started[0].error().code == ErrorCode::invalid_input);
    CHECK(started.at(1).has_value());
  }

  TEST_CASE("L1: the lease is renewed by starts of child runs") {
    Open a;
    const auto until = [&] {
      return a.stores
          .sql(fmt::format("select lease_until > now() + interval '1 h' from weir.worker "
                           "where id = {}",
                           a.worker.id))
          .front();
    };
    CHECK(until() == "f");
    must(a.worker.session->start_children(a.worker.id, std::chrono::hours(2), {}));
    CHECK(until() == "t");
  }
}
