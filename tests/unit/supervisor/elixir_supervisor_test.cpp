// What the tests of Elixir's Supervisor expect of it, under their names, of ours: all 15 but seven.
//
// Seven mean nothing in C++: "child_spec/2", "init/2 with old and new child specs", "start_link/2 with
// old and new specs" and "start_child/2 supports old child spec" are about modules and forms of a
// specification, of which there is one; "start_link/3" is "start_link/2" by a callback module;
// "start_link/3 with global" is about nodes, and "start_child/2 supports new child spec as tuple"
// about a second form of what "supports new child spec" passes.
#include <doctest/doctest.h>

#include <weir/supervisor/supervisor_child.hpp>
#include <weir/supervisor/thread_child.hpp>
#include <weir/supervisor/via.hpp>

#include "workers.hpp"

namespace weir {

TEST_SUITE("supervisor: as Elixir's Supervisor") {
  TEST_CASE("generates child_spec/1") {
    const ChildSpec spec = supervisor_child({.name = "Stack.Sup"}, {worker()});
    CHECK(spec.id == "Stack.Sup");
    CHECK(spec.type == ChildType::supervisor);
    CHECK(spec.restart == Restart::permanent);
  }

  TEST_CASE("init/2") {
    const Supervisor::Options options;
    CHECK(options.strategy == Strategy::one_for_one);
    CHECK(options.limit.max_restarts == 3);
    CHECK(options.limit.max_seconds == std::chrono::seconds(5));
    CHECK(options.auto_shutdown == AutoShutdown::never);
  }

  TEST_CASE("start_link/2 with via") {
    KeyedRegistry<std::string, std::shared_ptr<Child>> registry;
    ChildSpec spec = supervisor_child({}, {});
    spec.via = via(registry, "via_sup");
    const auto outer = started<>({}, {spec});
    const auto found = registry.via("via_sup").resolve();
    REQUIRE(found);
    CHECK(dynamic_cast<SupervisorChild&>(*found->value).supervisor().children().empty());
    CHECK(outer->stop());
    CHECK(registry.count() == 0);
  }

  TEST_CASE("start_link/3 with local") {
    ChildSpec spec = supervisor_child({}, {});
    spec.name = "my_sup";
    const auto outer = started<>({}, {spec});
    const auto found = std::dynamic_pointer_cast<SupervisorChild>(outer->whereis("my_sup"));
    REQUIRE(found);
    CHECK(found->supervisor().children().empty());
  }

  TEST_CASE("start_link/2") {
    ChildSpec stack = worker();
    stack.id = "Stack";
    stack.name = "dyn_stack";
    const auto supervisor = started<>({}, {stack});
    const auto first = supervisor->whereis("dyn_stack");
    REQUIRE(first);
    kill(*supervisor, first, {});
    const auto second = supervisor->whereis("dyn_stack");
    REQUIRE(second);
    CHECK(second != first);
    CHECK(supervisor->stop());
  }

  TEST_CASE("start_child/2 supports new child spec") {
    const auto supervisor = started<>({}, {});
    CHECK(start(*supervisor, thread_child("Task", [](const StopSignal& stop) { stop.wait(); })) !=
          nullptr);
  }

  TEST_CASE("start_child/2 with invalid child spec") {
    const auto supervisor = started<>({}, {});
    CHECK(supervisor->start_child({}).error().kind == "bad_child");
    CHECK(supervisor->start_child({.id = "1"}).error().kind == "bad_child");
  }

  TEST_CASE("child life-cycle") {
    const auto supervisor = started<>({}, {});
    CHECK(supervisor->children().empty());
    CHECK(supervisor->count_children() == ChildCounts());
    ChildSpec spec = worker();
    spec.id = "Stack";
    const auto stack = start(*supervisor, spec);
    const std::vector<ChildInfo> children = supervisor->children();
    REQUIRE(children.size() == 1);
    CHECK(children[0].id == "Stack");
    CHECK(children[0].child == stack);
    CHECK(children[0].type == ChildType::worker);
    CHECK(supervisor->count_children() == workers(1, 1));

    CHECK(supervisor->delete_child("Stack").error().kind == "running");
    CHECK(supervisor->terminate_child("Stack"));
    CHECK(supervisor->count_children() == workers(1, 0));
    CHECK(supervisor->restart_child("Stack"));
    CHECK(supervisor->terminate_child("Stack"));
    CHECK(supervisor->delete_child("Stack"));
    CHECK(supervisor->stop());
  }

  TEST_CASE("a supervisor among the children is counted as one") {
    const auto supervisor = started<>({}, {supervisor_child({}, {})});
    CHECK(supervisor->count_children() == ChildCounts{.specs = 1, .active = 1, .supervisors = 1});
  }
}

}  // namespace weir
