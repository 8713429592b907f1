#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

FlowDraft parent_of(std::string slug) {
  FlowDraft::Step sub = of_kind("flow", "sub");
  sub.flow = std::move(slug);
  return flow({sub});
}

// A worker that holds a run of "totals", whose step 0 starts "child".
struct Parent {
  Parent() {
    worker.loads(parent_of("child"));
    worker.loads(named("child", one_step()));
    started = start_one(*client, "null", {.priority = 7, .tags = {"x", "a,b"}});
    run = worker.claim_one();
  }
  ClaimedRun begun_child(std::string_view input = "null") {
    must(worker.starts_child(run.run, 0, 1, "child", json(input)));
    return worker.claim_one();
  }
  RunSummary child_summary(const ClaimedRun& child) { return must(client->summary(child.id)); }

  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  TestWorker worker{*stores};
  std::unique_ptr<RunStore> client = stores->client_session();
  StartedRun started;
  ClaimedRun run;
};

}  // namespace

TEST_SUITE("store: child runs") {
  TEST_CASE("C8: a child run has its parent's priority and tags and names it") {
    Parent a;
    const ClaimedRun child = a.begun_child(R"({"n":1})");
    CHECK(child.version == a.worker.versions[1]);
    CHECK(child.priority == 7);
    CHECK(child.input.text() == R"({"n": 1})");
    const RunSummary summary = a.child_summary(child);
    CHECK(summary.parent_run == a.started.id);
    CHECK(summary.tags == std::vector<std::string>{"x", "a,b"});
    CHECK_FALSE(must(a.client->summary(a.started.id)).parent_run.has_value());
  }

  TEST_CASE("C8: an attempt starts one child however often it says so") {
    Parent a;
    for (int time = 0; time < 3; ++time)
      must(a.worker.starts_child(a.run.run, 0, 1, "child", Json()));
    CHECK(a.worker.claim(5).size() == 1);
    must(a.worker.starts_child(a.run.run, 0, 2, "child", Json()));
    CHECK(a.worker.claim(5).size() == 1);
  }

  TEST_CASE("C8: the end of a child is told to its parent with its output") {
    Parent a;
    const ClaimedRun child = a.begun_child();
    CHECK_FALSE(a.worker.exchange(a.worker.next()).notifications.contains(a.run.run));
    a.worker.ends(child.run, {.output = json(R"({"a":5})")});
    const RunNotifications notifications =
        a.worker.exchange(a.worker.next()).notifications.at(a.run.run);
    REQUIRE(notifications.children.contains({0, 1}));
    const ChildRunEnd& end = notifications.children.at({0, 1});
    CHECK(end.id == child.id);
    CHECK(end.status == RunStatus::completed);
    CHECK(end.output.text() == R"({"a": 5})");
  }

  TEST_CASE("C8: the end of a child is told once however many others end after it") {
    Parent a;
    const ClaimedRun first = a.begun_child();
    must(a.worker.starts_child(a.run.run, 0, 2, "child", Json()));
    const ClaimedRun second = a.worker.claim_one();
    a.worker.ends(first.run, {.output = json("1")});
    const auto told = [&](const ExchangeRequest& request) {
      return a.worker.exchange(request).notifications;
    };
    const int count = told(a.worker.next()).at(a.run.run).count;
    CHECK(told(a.worker.next()).at(a.run.run).children.contains({0, 1}));  // not acknowledged yet

    ExchangeRequest heard = a.worker.next();
    heard.acknowledged = {{a.run.run, count}};
    CHECK_FALSE(told(heard).contains(a.run.run));
    a.worker.ends(second.run, {.output = json("2")});
    const RunNotifications again = told(a.worker.next()).at(a.run.run);
    CHECK(again.count > count);
    CHECK_FALSE(again.children.contains({0, 1}));
    CHECK(again.children.at({0, 2}).output.text() == "2");
  }

  TEST_CASE("C8: who claims a parent is told of the ends that its journal does not have") {
    Parent a;
    const ClaimedRun first = a.begun_child();
    must(a.worker.starts_child(a.run.run, 0, 2, "child", Json()));
    const ClaimedRun second = a.worker.claim_one();
    a.worker.ends(first.run, {.output = json("1")});
    a.worker.ends(second.run, {.output = json("2")});
    const int count = a.worker.exchange(a.worker.next()).notifications.at(a.run.run).count;
    ExchangeRequest request = a.worker.next();
    request.acknowledged = {{a.run.run, count}};
    request.settled = {{a.run.run, failed(0, 0, 1, "boom"), {}}};
    request.released = {{a.run.run, {}}};
    a.worker.exchange(request);
    const ClaimedRun parent = a.worker.claim_one();
    CHECK(parent.has_history);
    CHECK(parent.notifications.count == count);
    CHECK_FALSE(parent.notifications.children.contains({0, 1}));
    CHECK(parent.notifications.children.contains({0, 2}));
  }

  TEST_CASE("C8: the failure of a child is told to its parent") {
    Parent a;
    const ClaimedRun child = a.begun_child();
    a.worker.ends(child.run, {.status = RunStatus::failed, .error = "boom", .failed_step = 0});
    const RunNotifications notifications =
        a.worker.exchange(a.worker.next()).notifications.at(a.run.run);
    CHECK(notifications.children.at({0, 1}).status == RunStatus::failed);
    CHECK(notifications.children.at({0, 1}).error == "boom");
  }

  TEST_CASE("C8: the end of a child wakes its parent") {
    Parent a;
    const ClaimedRun child = a.begun_child();
    ExchangeRequest request = a.worker.next();
    request.released = {{a.run.run, Time{std::chrono::hours(24 * 365 * 200)}}};
    a.worker.exchange(request);
    CHECK(a.worker.claim(1).empty());
    a.worker.ends(child.run, {.output = json("1")});
    const ClaimedRun parent = a.worker.claim_one();
    CHECK(parent.run == a.run.run);
    CHECK(parent.notifications.children.contains({0, 1}));
  }

  TEST_CASE("C8: a child that is cancelled is told to its parent") {
    Parent a;
    must(a.worker.starts_child(a.run.run, 0, 1, "child", Json()));
    const auto children = must(a.client->runs({.flow = "child"}));
    REQUIRE(children.size() == 1);
    CHECK(must(a.client->cancel(children[0].id, "enough")));
    const RunNotifications notifications =
        a.worker.exchange(a.worker.next()).notifications.at(a.run.run);
    CHECK(notifications.children.at({0, 1}).status == RunStatus::cancelled);
    CHECK(notifications.children.at({0, 1}).error == "enough");
  }

  TEST_CASE("C8: a parent that nobody holds is cancelled with its children") {
    Parent a;
    const ClaimedRun child = a.begun_child();
    must(a.worker.session->leave(a.worker.id));
    CHECK(must(a.client->cancel(a.started.id, "enough")));
    CHECK(must(a.client->summary(a.started.id)).error == "enough");
    CHECK(a.child_summary(child).status == "cancelled");
    CHECK(a.child_summary(child).error == "its parent run was cancelled");
  }

  TEST_CASE("C8: a parent that ends as cancelled cancels its children") {
    Parent a;
    const ClaimedRun child = a.begun_child();
    a.worker.ends(a.run.run, {.status = RunStatus::cancelled, .error = "enough"});
    const RunNotifications notifications =
        a.worker.exchange(a.worker.next()).notifications.at(child.run);
    CHECK(notifications.cancelled == "its parent run was cancelled");
  }

  TEST_CASE("C8: a parent that fails cancels its children") {
    Parent a;
    must(a.worker.starts_child(a.run.run, 0, 1, "child", Json()));
    a.worker.ends(a.run.run, {.status = RunStatus::failed, .error = "boom", .failed_step = 0});
    CHECK(a.worker.claim(1).empty());
    const auto children = must(a.client->runs({.flow = "child"}));
    REQUIRE(children.size() == 1);
    CHECK(children[0].status == "cancelled");
    CHECK(children[0].error == "its parent run failed");
  }

  TEST_CASE("C8: grandchildren are cancelled as well") {
    Parent a;
    a.worker.loads(named("child", parent_of("grandchild")));
    const ClaimedRun child = a.begun_child();
    a.worker.loads(named("grandchild", one_step()));
    must(a.worker.starts_child(child.run, 0, 1, "grandchild", Json()));
    const ClaimedRun grandchild = a.worker.claim_one();
    must(a.worker.session->leave(a.worker.id));
    CHECK(must(a.client->cancel(a.started.id, "enough")));
    CHECK(a.child_summary(child).status == "cancelled");
    CHECK(a.child_summary(grandchild).status == "cancelled");
  }

  TEST_CASE("C8: a run that is to end as cancelled starts no child") {
    Parent a;
    must(a.client->cancel(a.started.id, "enough"));
    must(a.worker.starts_child(a.run.run, 0, 1, "child", Json()));
    CHECK(must(a.client->runs({.flow = "child"})).empty());
  }

  TEST_CASE("C8: a worker that does not hold the run starts no child") {
    Parent a;
    TestWorker other(*a.stores);
    const auto refused = other.starts_child(a.run.run, 0, 1, "child", Json());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::lease_lost);
    a.worker.lapses(*a.client);
    CHECK(a.worker.starts_child(a.run.run, 0, 1, "child", Json()).error().code ==
          ErrorCode::lease_lost);
    CHECK(must(a.client->runs({.flow = "child"})).empty());
  }

  TEST_CASE("C8: a child of a flow that is not there is refused") {
    Parent a;
    const auto refused = a.worker.starts_child(a.run.run, 0, 1, "nothing", Json());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::not_found);
  }

  TEST_CASE("C8: a child whose input it cannot take is refused") {
    Parent a;
    a.worker.loads(named("each", flow({of_kind("map", "m")})));
    const auto refused = a.worker.starts_child(a.run.run, 0, 1, "each", json("{}"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::invalid_input);
    CHECK(refused.error().message ==
          "flow \"each\" maps over its input, which must be an array, not an object");
  }

  TEST_CASE("C3: a child that is tried anew is open again for its parent") {
    Parent a;
    const ClaimedRun child = a.begun_child();
    a.worker.ends(child.run, {.status = RunStatus::failed, .error = "boom", .failed_step = 0});
    must(a.client->retry(child.id));
    const RunNotifications notifications =
        a.worker.exchange(a.worker.next()).notifications.at(a.run.run);
    CHECK(notifications.children.empty());
    CHECK(a.worker.claim_one().run == child.run);
  }
}
