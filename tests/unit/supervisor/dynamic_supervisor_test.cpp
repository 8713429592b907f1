#include <latch>

#include <doctest/doctest.h>

#include <weir/supervisor/thread_child.hpp>

#include "workers.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_SUITE("supervisor: children that come and go") {
  TEST_CASE("two hundred children of one specification that ended leave nothing behind") {
    const auto pool = started_dynamic<>({});
    const ChildSpec task = thread_child("task", [](const StopSignal&) {}, Restart::transient);
    for (int i = 0; i < 200; ++i) CHECK(pool->start_child(task));
    while (pool->count_children().specs > 0) std::this_thread::yield();
    CHECK(pool->children().empty());
  }

  TEST_CASE("children are listed with their pointers and need no id") {
    const auto pool = started_dynamic<>({});
    const auto a = start(*pool, worker());
    const auto b = start(*pool, worker());
    const std::vector<ChildInfo> children = pool->children();
    REQUIRE(children.size() == 2);
    CHECK(children[0].child == a);
    CHECK(children[1].child == b);
    CHECK(pool->terminate_child(children[0].child));
    REQUIRE(pool->children().size() == 1);
    CHECK(pool->children()[0].child == b);
  }

  TEST_CASE("a child that was restarted is another one") {
    const auto pool = started_dynamic<>({});
    const auto before = start(*pool, worker());
    kill(*pool, before);
    CHECK(pool->terminate_child(before).error().kind == "unknown_child");
    const auto after = pool->children().at(0).child;
    CHECK(after != before);
    CHECK(pool->terminate_child(after));
  }

  TEST_CASE("all are asked to stop before the end of any is awaited") {
    const auto pool = started_dynamic<>({});
    std::latch asked(3);
    const auto body = [&](const StopSignal& stop) {
      stop.wait();
      asked.arrive_and_wait();
    };
    for (int i = 0; i < 3; ++i)
      start(*pool, thread_child("a", body, Restart::permanent, Shutdown::after(1min)));
    CHECK(pool->stop());
    for (const ChildInfo& child : pool->children()) CHECK(child.abandoned == 0);
  }

  TEST_CASE("one that does not stop in time is left behind before one that may take longer ends") {
    Gate left_behind;
    const auto pool = started_dynamic<>({.observer = [&](const SupervisorEvent& event) {
      if (event.what == SupervisorEvent::What::over_time) left_behind.open();
    }});
    start(*pool, worker(Restart::permanent, Shutdown::after(1ms), {.ignores_stop = true}));
    start(*pool, thread_child(
                     "slow",
                     [&](const StopSignal& stop) {
                       stop.wait();
                       left_behind.pass();
                     },
                     Restart::permanent, Shutdown::forever()));
    CHECK(pool->stop());
  }

  TEST_CASE(
      "terminating a child that ignores its stop says that it was left behind and forgets it") {
    const auto pool = started_dynamic<>({.name = "pool"});
    const auto child =
        start(*pool, worker(Restart::permanent, Shutdown::after(1ms), {.ignores_stop = true}));
    const Result<void> terminated = pool->terminate_child(child);
    REQUIRE_FALSE(terminated);
    CHECK(terminated.error().kind == "over_time");
    CHECK(terminated.error().message ==
          "a child of \"pool\" did not stop in time and was left behind");
    CHECK(pool->children().empty());
  }

  TEST_CASE("resolve gives the child of a name and starts it again once it was terminated") {
    FakeChildren fakes;
    const auto pool = started_dynamic<>(
        {.backoff = {.first = 1h, .longest = 1h},
         .template_spec = [&](const std::string& key) { return fakes.child(key); }});
    const auto found = pool->resolve("alice");
    REQUIRE(found);
    CHECK(pool->resolve("alice") == found);
    CHECK(pool->whereis("alice") == *found);
    CHECK(pool->terminate_child(*found));
    CHECK(pool->children().empty());
    CHECK(pool->resolve("alice"));
    CHECK(fakes.journal() == "+alice -alice +alice");
    fakes.die("alice");
    CHECK(pool->resolve("alice").error().kind == "restarting");
  }

  TEST_CASE("a place is free again once its child has ended for good") {
    const auto pool = started_dynamic<>({.max_children = 1});
    const auto child = start(*pool, worker(Restart::temporary));
    CHECK(pool->start_child(worker()).error().kind == "max_children");
    kill(*pool, child);
    CHECK(pool->start_child(worker()));
  }

  TEST_CASE("a dynamic supervisor gives up like any other and counts as one child that died") {
    ChildSpec spec = dynamic_supervisor_child({.name = "pool", .limit = {.max_restarts = 0}});
    spec.name = "pool";
    const auto outer = started<>({.name = "outer", .limit = never_gives_up}, {spec});
    const auto pool = std::dynamic_pointer_cast<DynamicSupervisorChild>(outer->whereis("pool"));
    kill(pool->supervisor(), start(pool->supervisor(), worker()));
    CHECK(pool->supervisor().wait().error().kind == "gave_up");
    while (outer->children().at(0).starts < 2) std::this_thread::yield();
    CHECK(outer->children().at(0).deaths == 1);
  }
}

TEST_SUITE("supervisor: starts that find nothing to run") {
  TEST_CASE("a child that has nothing to run counts as ended and may be started later") {
    bool something = false;
    EventRecorder recorder;
    ChildSpec spec = worker();
    spec.id = "a";
    spec.name = "n";
    spec.start = [&something, start = spec.start](const ChildEnd& end) {
      return something ? start(end) : start_is_ignored(end);
    };
    const auto supervisor = started<>({.name = "shop", .observer = recorder.observer()}, {spec});
    CHECK(states(*supervisor) == "a ended");
    CHECK(supervisor->children()[0].deaths == 0);
    CHECK(supervisor->whereis("n") == nullptr);
    CHECK(recorder.lines() == std::vector<std::string>{"shop: a has nothing to run"});
    const auto ignored = supervisor->restart_child("a");
    REQUIRE(ignored);
    CHECK(*ignored == nullptr);
    something = true;
    CHECK(supervisor->restart_child("a"));
    CHECK(states(*supervisor) == "a running");
    CHECK(supervisor->whereis("n") != nullptr);
  }

  TEST_CASE("a temporary child that has nothing to run is forgotten") {
    ChildSpec spec{.id = "a", .start = start_is_ignored, .restart = Restart::temporary};
    const auto supervisor = started<>({}, {spec});
    CHECK(supervisor->children().empty());
  }

  TEST_CASE("resolve tells that there is nothing to run for its key") {
    const auto supervisor = started<>(
        {.name = "tokens",
         .template_spec = [](const std::string&) { return ChildSpec{.start = start_is_ignored}; }},
        {});
    for (int i = 0; i < 2; ++i) {
      const auto found = supervisor->resolve("alice");
      REQUIRE_FALSE(found);
      CHECK(found.error().code == ErrorCode::not_found);
      CHECK(found.error().message == "the template of \"tokens\" has nothing to run for \"alice\"");
    }
  }
}

TEST_SUITE("supervisor: inner supervisors") {
  TEST_CASE("resolve works on an inner supervisor that was found by its name") {
    FakeChildren fakes;
    ChildSpec inner = supervisor_child(
        {.name = "tokens",
         .template_spec = [&](const std::string& key) { return fakes.child(key); }},
        {});
    inner.name = "tokens";
    const auto outer = started<>({}, {inner});
    const auto tokens = std::dynamic_pointer_cast<SupervisorChild>(outer->whereis("tokens"));
    REQUIRE(tokens);
    const auto alice = tokens->supervisor().resolve("alice");
    REQUIRE(alice);
    CHECK(tokens->supervisor().whereis("alice") == *alice);
  }

  TEST_CASE("an inner supervisor that is held after its end refuses what it is asked") {
    FakeChildren fakes;
    std::shared_ptr<SupervisorChild> inner;
    {
      const auto outer = started<>({}, {supervisor_child({}, {fakes.child("a")})});
      inner = std::dynamic_pointer_cast<SupervisorChild>(outer->children().at(0).child);
      REQUIRE(inner);
    }
    CHECK(fakes.journal() == "+a -a");
    CHECK(inner->supervisor().start_child(fakes.child("b")).error().kind == "supervisor_ended");
    CHECK(inner->supervisor().wait());
  }
}

}  // namespace weir
