// What the tests of Elixir's DynamicSupervisor expect of it, under their names, of ours: all 41 but seven.
//
// A kill with the reason :normal, :shutdown or {:shutdown, _} is an end without an error here, any
// other one with an error; :brutal_kill is Shutdown::at_once(); a process that was :killed is one
// that was left behind.
//
// Seven mean nothing in C++:
//   "with spawn_opt", "sets initial call to the same as a regular supervisor": there are no spawn
//     options, and nothing is found by the function that a process began with.
//   "code_change/3 with non-ok init", "with ok init": the options of a supervisor that runs are not
//     replaced.
//   "supports old child spec": there is one form of a specification.
//   "supports extra arguments", "restarting a child with extra_arguments successfully restarts
//     child": a start is a function that has what it needs.
#include <doctest/doctest.h>

#include <weir/supervisor/thread_child.hpp>
#include <weir/supervisor/via.hpp>

#include "workers.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr RestartLimit often{.max_restarts = 100'000};

void sleeps(const StopSignal& stop) { stop.wait(); }

// What a supervisor with these children logs when it is stopped.
std::string log_of_stop(const std::vector<ChildSpec>& children) {
  EventRecorder recorder;
  const auto pool = started_dynamic<>({.name = "pool", .observer = recorder.observer()});
  for (const ChildSpec& child : children) start(*pool, child);
  recorder.lines();
  CHECK(pool->stop());
  std::string log;
  for (const std::string& line : recorder.lines()) log += (log.empty() ? "" : ", ") + line;
  return log;
}

}  // namespace

TEST_SUITE("supervisor: as Elixir's DynamicSupervisor") {
  TEST_CASE("can be supervised directly") {
    ChildSpec spec = dynamic_supervisor_child({.name = "dyn_sup_spec_test"});
    spec.name = spec.id;
    const auto outer = started<>({}, {spec});
    const auto inner =
        std::dynamic_pointer_cast<DynamicSupervisorChild>(outer->whereis("dyn_sup_spec_test"));
    REQUIRE(inner);
    CHECK(inner->supervisor().children().empty());
  }

  TEST_CASE("multiple supervisors can be supervised and identified with simple child spec") {
    KeyedRegistry<std::string, std::shared_ptr<Child>> registry;
    ChildSpec simple = dynamic_supervisor_child({.name = "simple"});
    simple.name = "simple_name";
    ChildSpec in_registry = dynamic_supervisor_child({.name = "in registry"});
    in_registry.via = via(registry, "via_name");
    const auto outer = started<>({}, {simple, in_registry});
    const ChildSpec no_name = dynamic_supervisor_child({});
    const auto of = [](const std::shared_ptr<Child>& child) {
      return dynamic_cast<DynamicSupervisorChild&>(*child).supervisor().children().size();
    };
    CHECK(of(start(*outer, no_name)) == 0);
    CHECK(of(outer->whereis("simple_name")) == 0);
    CHECK(of(registry.via("via_name").resolve()->value) == 0);
    CHECK(outer->start_child(no_name).error().kind == "already_started");
    CHECK(outer->stop());
  }

  TEST_CASE("use/2 generates child_spec/1") {
    const ChildSpec spec = dynamic_supervisor_child({.name = "Simple"});
    CHECK(spec.id == "Simple");
    CHECK(spec.type == ChildType::supervisor);
    CHECK(spec.restart == Restart::permanent);
    CHECK(spec.shutdown.waits_forever());
    ChildSpec custom = dynamic_supervisor_child({}, Shutdown::after(1s));
    custom.id = "id";
    custom.restart = Restart::temporary;
    CHECK(custom.shutdown.limit() == 1s);
  }

  TEST_CASE("init/1 set default options") {
    const DynamicSupervisor::Options options;
    CHECK(options.limit.max_restarts == 3);
    CHECK(options.limit.max_seconds == 5s);
    CHECK(options.max_children == std::numeric_limits<std::size_t>::max());
  }

  TEST_CASE("start_link/3 with non-ok init") {
    const auto refused = DynamicSupervisor::start({.limit = {.max_seconds = 0s}});
    CHECK(refused.error().kind == "bad_limit");
  }

  TEST_CASE("start_link/3 with registered process") {
    ChildSpec spec = dynamic_supervisor_child({});
    spec.name = "DynamicSupervisorTest";
    spec.restart = Restart::temporary;
    const auto outer = started<>({}, {spec});
    const auto inner =
        std::dynamic_pointer_cast<DynamicSupervisorChild>(outer->whereis("DynamicSupervisorTest"));
    REQUIRE(inner);
    CHECK(inner->supervisor().stop());
    while (!outer->children().empty()) std::this_thread::yield();
    CHECK(outer->whereis("DynamicSupervisorTest") == nullptr);
  }

  TEST_CASE("start_child/2 supports new child spec as tuple") {
    const auto pool = started_dynamic<>({});
    CHECK(start(*pool, {.id = "Task",
                        .start = [](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
                          return std::make_shared<ThreadChild>(
                              end, [](const StopSignal&) -> Result<void> { return {}; });
                        },
                        .restart = Restart::temporary}) != nullptr);
  }

  TEST_CASE("start_child/2 supports new child spec") {
    const auto pool = started_dynamic<>({});
    CHECK(start(*pool, thread_child("Task", sleeps)) != nullptr);
  }

  TEST_CASE("start_child/2 with invalid child spec") {
    const auto pool = started_dynamic<>({.name = "pool"});
    const Error nothing_to_start = pool->start_child({}).error();
    CHECK(nothing_to_start.kind == "bad_child");
    CHECK(nothing_to_start.message == "a child of \"pool\" has nothing to start");
    CHECK(pool->start_child(worker(Restart::permanent, Shutdown::after(-1ms))).error().kind ==
          "bad_child");
    ChildSpec significant = worker(Restart::transient);
    significant.significant = true;
    CHECK(pool->start_child(significant).error().kind == "bad_child");
    CHECK(pool->children().empty());
  }

  TEST_CASE("start_child/2 with different returns") {
    const auto pool = started_dynamic<>({});
    CHECK(start(*pool, worker()) != nullptr);
    const auto ignored = pool->start_child({.start = start_is_ignored});
    REQUIRE(ignored);
    CHECK(*ignored == nullptr);
    CHECK(pool->start_child({.start = start_fails}).error() == fault("found"));
    CHECK(pool->start_child({.start = start_returns_nothing}).error().kind == "no_child");
    CHECK(pool->count_children() == workers(1, 1));
  }

  TEST_CASE("start_child/2 with throw/error/exit") {
    const auto pool = started_dynamic<>({});
    const auto thrown_by = [&](const std::function<void()>& thrower) {
      return pool
          ->start_child({.start = [&](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
            thrower();
            return std::shared_ptr<Child>();
          }})
          .error();
    };
    CHECK(thrown_by([] { throw 1; }).message == "an exception that is not a std::exception");
    CHECK(thrown_by([] { throw std::runtime_error("oops"); }).message == "oops");
    CHECK(thrown_by([] { throw std::bad_alloc(); }).kind == "out_of_memory");
  }

  TEST_CASE("start_child/2 with max_children") {
    const auto pool = started_dynamic<>({.name = "pool", .max_children = 0});
    CHECK(pool->start_child(worker()).error() ==
          Error{.code = ErrorCode::unavailable,
                .kind = "max_children",
                .message = "\"pool\" has 0 children, and may have no more (max_children)",
                .hint = "wait until one has ended, or set a higher max_children"});
  }

  TEST_CASE("start_child/2 temporary child is not restarted regardless of reason") {
    const ChildSpec child = worker(Restart::temporary);
    const auto pool = started_dynamic<>({});
    kill(*pool, start(*pool, child), {});
    CHECK(pool->count_children() == workers(0, 0));
    kill(*pool, start(*pool, child));
    CHECK(pool->count_children() == workers(0, 0));
  }

  TEST_CASE("start_child/2 transient child is restarted unless normal/shutdown/{shutdown _}") {
    const ChildSpec child = worker(Restart::transient);
    const auto pool = started_dynamic<>({});
    kill(*pool, start(*pool, child), {});
    CHECK(pool->count_children() == workers(0, 0));
    kill(*pool, start(*pool, child));
    CHECK(pool->count_children() == workers(1, 1));
  }

  TEST_CASE("start_child/2 permanent child is restarted regardless of reason") {
    const ChildSpec child = worker(Restart::permanent);
    const auto pool = started_dynamic<>({.limit = often});
    kill(*pool, start(*pool, child), {});
    CHECK(pool->count_children() == workers(1, 1));
    kill(*pool, start(*pool, child), {});
    CHECK(pool->count_children() == workers(2, 2));
    kill(*pool, start(*pool, child));
    CHECK(pool->count_children() == workers(3, 3));
  }

  TEST_CASE("start_child/2 child is restarted with different values") {
    const auto pool =
        started_dynamic<ManualSync>({.limit = often, .backoff = {.first = 1ms, .longest = 1ms}});
    const auto restart_of = [&](const ChildSpec& spec, std::size_t children) {
      const auto child = start(*pool, spec);
      CHECK(pool->children().size() == children);
      kill(*pool, child, {});
      ManualSync::Clock::advance(1ms);
      settle(*pool);  // wakes it; restarts come before the next call
      settle(*pool);
      return pool->count_children();
    };
    CHECK(restart_of(worker(), 1) == workers(1, 1));
    CHECK(restart_of(worker(), 2) == workers(2, 2));
    CHECK(restart_of(worker_that_restarts_as(start_is_ignored), 3) == workers(2, 2));
    CHECK(restart_of(worker_that_restarts_as(start_fails), 3) == workers(3, 2));
    CHECK(pool->children()[2].state == ChildInfo::State::restarting);
    CHECK(restart_of(worker_that_restarts_as(start_returns_nothing), 4) == workers(4, 2));
  }

  TEST_CASE("start_child/2 restarting on init children counted in max_children") {
    const auto pool =
        started_dynamic<ManualSync>({.limit = often, .backoff = {.first = 1ms}, .max_children = 1});
    kill(*pool, start(*pool, worker_that_restarts_as(start_fails)), {});
    ManualSync::Clock::advance(1ms);
    settle(*pool);
    CHECK(pool->count_children() == workers(1, 0));
    CHECK(pool->start_child(worker()).error().kind == "max_children");
  }

  TEST_CASE("start_child/2 restarting on exit children counted in max_children") {
    const auto pool = started_dynamic<>({.limit = often, .max_children = 1});
    kill(*pool, start(*pool, worker()), {});
    CHECK(pool->count_children() == workers(1, 1));
    CHECK(pool->start_child(worker()).error().kind == "max_children");
  }

  TEST_CASE("start_child/2 child is restarted when trying again") {
    int starts = 0;
    ChildSpec spec = worker();
    spec.start = [&starts, start = spec.start](const ChildEnd& end) {
      return ++starts == 2 ? start_fails(end) : start(end);
    };
    const auto pool = started_dynamic<ManualSync>({.limit = {.max_restarts = 2}});
    kill(*pool, start(*pool, spec), {});
    settle(*pool);  // a call has its turn between the restarts
    CHECK(starts == 3);
    CHECK(pool->count_children() == workers(1, 1));
  }

  TEST_CASE("start_child/2 child triggers maximum restarts") {
    const auto pool = started_dynamic<ManualSync>({.limit = {.max_restarts = 1}});
    kill(*pool, start(*pool, worker_that_restarts_as(start_fails)), {});
    CHECK(pool->wait().error().kind == "gave_up");
  }

  TEST_CASE("start_child/2 child triggers maximum intensity when trying again") {
    const auto pool = started_dynamic<ManualSync>({.limit = {.max_restarts = 10}});
    kill(*pool, start(*pool, worker_that_restarts_as(start_fails)), {});
    CHECK(pool->wait().error().kind == "gave_up");
  }

  TEST_CASE("start_child/2 with valid shutdown") {
    const auto pool = started_dynamic<>({});
    for (const auto time : {0ms, 1ms})
      kill(*pool, start(*pool, worker(Restart::temporary, Shutdown::after(time))), {});
    CHECK(pool->count_children() == workers(0, 0));
  }

  TEST_CASE("start_child/2 with invalid valid shutdown") {
    const auto pool = started_dynamic<>({});
    CHECK(pool->start_child(worker(Restart::permanent, Shutdown::after(-1ms))).error().kind ==
          "bad_child");
  }

  TEST_CASE("terminate/2 terminates children with brutal kill") {
    const ChildSpec child = worker(Restart::permanent, Shutdown::at_once(), {.ignores_stop = true});
    CHECK(log_of_stop({child, child, child}) ==
          "pool: a child did not stop in time and is left behind, "
          "pool: a child did not stop in time and is left behind, "
          "pool: a child did not stop in time and is left behind");
  }

  TEST_CASE("terminate/2 terminates children with infinity shutdown") {
    const ChildSpec child = worker(Restart::permanent, Shutdown::forever());
    CHECK(log_of_stop({child, child, child}) ==
          "pool: a child stopped, pool: a child stopped, pool: a child stopped");
  }

  TEST_CASE("terminate/2 terminates children with infinity shutdown and abnormal reason") {
    const ChildSpec child =
        worker(Restart::permanent, Shutdown::forever(), {.last_words = fault("oops")});
    CHECK(log_of_stop({child, child, child}) ==
          "pool: a child stopped: oops, pool: a child stopped: oops, "
          "pool: a child stopped: oops");
  }

  TEST_CASE("terminate/2 terminates children with integer shutdown") {
    const ChildSpec child = worker(Restart::permanent, Shutdown::after(1000ms));
    CHECK(log_of_stop({child, child, child}) ==
          "pool: a child stopped, pool: a child stopped, pool: a child stopped");
  }

  TEST_CASE("terminate/2 terminates children with integer shutdown and abnormal reason") {
    const ChildSpec child =
        worker(Restart::permanent, Shutdown::after(1000ms), {.last_words = fault("oops")});
    CHECK(log_of_stop({child, child, child}) ==
          "pool: a child stopped: oops, pool: a child stopped: oops, "
          "pool: a child stopped: oops");
  }

  TEST_CASE("terminate/2 terminates children with expired integer shutdown") {
    ChildSpec ends = worker(Restart::permanent, Shutdown::after(1ms));
    ends.id = "a";
    ChildSpec ignores = worker(Restart::permanent, Shutdown::after(1ms), {.ignores_stop = true});
    ignores.id = "b";
    const std::string log = log_of_stop({ends, ignores, ends});
    CHECK(log.find("pool: b did not stop in time and is left behind") != std::string::npos);
    CHECK(log.find("pool: a stopped") != log.rfind("pool: a stopped"));
  }

  TEST_CASE("terminate/2 terminates children with permanent restart and normal reason") {
    const ChildSpec child = worker(Restart::permanent, Shutdown::forever());
    CHECK(log_of_stop({child, child, child}) ==
          "pool: a child stopped, pool: a child stopped, pool: a child stopped");
  }

  TEST_CASE("terminate/2 terminates with mixed children") {
    const std::string log =
        log_of_stop({worker(Restart::permanent, Shutdown::forever()),
                     worker(Restart::permanent, Shutdown::at_once(), {.ignores_stop = true})});
    CHECK(log == "pool: a child did not stop in time and is left behind, pool: a child stopped");
  }

  TEST_CASE("terminate_child/2 terminates child with brutal kill") {
    const auto pool = started_dynamic<>({});
    const auto child =
        start(*pool, worker(Restart::permanent, Shutdown::at_once(), {.ignores_stop = true}));
    CHECK(pool->terminate_child(child));
    CHECK(pool->terminate_child(child).error().kind == "unknown_child");
    CHECK(pool->count_children() == workers(0, 0));
  }

  TEST_CASE("terminate_child/2 terminates child with integer shutdown") {
    const auto pool = started_dynamic<>({.name = "pool"});
    const auto child = start(*pool, worker(Restart::permanent, Shutdown::after(1000ms)));
    CHECK(pool->terminate_child(child));
    CHECK(pool->terminate_child(child).error() ==
          Error{.code = ErrorCode::not_found,
                .kind = "unknown_child",
                .message = "\"pool\" has no such child",
                .hint = "it has ended; children() lists those there are, and a child that was "
                        "restarted is another one"});
    CHECK(pool->count_children() == workers(0, 0));
  }

  TEST_CASE("terminate_child/2 terminates restarting child") {
    const auto pool = started_dynamic<ManualSync>({.limit = often, .backoff = {.first = 1ms}});
    const auto child = start(*pool, worker_that_restarts_as(start_fails));
    kill(*pool, child, {});
    CHECK(pool->terminate_child(child));
    CHECK(pool->terminate_child(child).error().kind == "unknown_child");
    CHECK(pool->count_children() == workers(0, 0));
  }
}

}  // namespace weir
