#include <atomic>
#include <chrono>
#include <latch>
#include <limits>

#include <doctest/doctest.h>

#include "fake_children.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

Supervisor::Options with_template(FakeChildren& fakes, std::shared_ptr<ChildNames> names = {}) {
  return {.name = "tokens",
          .limit = never_gives_up,
          .template_spec = [&fakes](const std::string& key) { return fakes.child(key); },
          .names = std::move(names)};
}

}  // namespace

TEST_SUITE("supervisor: dynamic children") {
  TEST_CASE("no call waits behind a child whose restarts fail again and again") {
    FakeChildren fakes;
    const auto supervisor = started<ManualSync>(
        {.limit = {.max_restarts = std::numeric_limits<std::size_t>::max()}}, {fakes.child("a")});
    fakes.fail_starts("a", std::numeric_limits<int>::max());
    fakes.die("a");
    CHECK(supervisor->start_child(fakes.child("b")));
    CHECK(supervisor->terminate_child("a"));
    CHECK(states(*supervisor) == "a stopped, b running");
  }

  TEST_CASE("no call waits behind children that start and die again and again") {
    Strategy strategy = Strategy::one_for_one;
    SUBCASE("each alone") {}
    SUBCASE("together") { strategy = Strategy::one_for_all; }
    std::atomic<bool> dies = false;
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    const auto child = [&](const std::string& id) {
      return ChildSpec{.id = id,
                       .start = [&](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
                         // After the deadline it lives, so that the call is answered too late.
                         if (dies && std::chrono::steady_clock::now() < deadline) end.with(fault());
                         return child_stopped_by([end] { end.normally(); });
                       }};
    };
    const auto supervisor = Supervisor::start(
        {.strategy = strategy, .limit = never_gives_up, .backoff = {.first = 0ms, .longest = 0ms}},
        {child("a"), child("b"), child("c")});
    REQUIRE(supervisor.has_value());
    dies = true;
    REQUIRE((*supervisor)->terminate_child("c"));
    REQUIRE((*supervisor)->restart_child("c"));  // the first to die
    if (strategy == Strategy::one_for_one) {
      REQUIRE((*supervisor)->terminate_child("b"));
      REQUIRE((*supervisor)->restart_child("b"));
    }
    CHECK((*supervisor)->terminate_child("b"));
    CHECK(std::chrono::steady_clock::now() < deadline);
  }

  TEST_CASE("a child that is added is started and stopped like the others") {
    FakeChildren fakes;
    const auto supervisor = started<>({}, {fakes.child("a")});
    CHECK(supervisor->start_child(fakes.child("b")));
    CHECK(supervisor->start_child(fakes.child("b")).error().kind == "already_started");
    fakes.die("b");
    settle(*supervisor);
    CHECK(supervisor->stop());
    CHECK(fakes.journal() == "+a +b +b -b -a");
  }

  TEST_CASE("a child that does not start is not kept") {
    FakeChildren fakes;
    const auto supervisor = started<>({}, {});
    fakes.fail_starts("a", 1);
    CHECK(supervisor->start_child(fakes.child("a")).error() == fault("would not start"));
    CHECK(supervisor->children().empty());
    CHECK(supervisor->start_child(fakes.child("a")));
  }

  TEST_CASE("a child that was terminated is not restarted but may be started again or deleted") {
    FakeChildren fakes;
    const auto supervisor = started<>({}, {fakes.child("a")});
    CHECK(supervisor->delete_child("a").error().kind == "running");
    CHECK(supervisor->restart_child("a").error().kind == "running");
    CHECK(supervisor->terminate_child("a"));
    CHECK(supervisor->terminate_child("a"));
    CHECK(states(*supervisor) == "a stopped");
    CHECK(supervisor->restart_child("a"));
    CHECK(states(*supervisor) == "a running");
    CHECK(supervisor->terminate_child("a"));
    CHECK(supervisor->delete_child("a"));
    CHECK(supervisor->children().empty());
    CHECK(fakes.journal() == "+a -a +a -a");
  }

  TEST_CASE("a temporary child that was terminated is forgotten") {
    FakeChildren fakes;
    const auto supervisor = started<>({}, {fakes.child("a", Restart::temporary)});
    CHECK(supervisor->terminate_child("a"));
    CHECK(supervisor->children().empty());
  }

  TEST_CASE("an id that no child has is not_found") {
    const auto supervisor = started<>({.name = "shop"}, {});
    CHECK(supervisor->terminate_child("a").error() ==
          Error{.code = ErrorCode::not_found,
                .kind = "unknown_child",
                .message = "\"shop\" has no child \"a\"",
                .hint = "children() lists them; a temporary one is forgotten when it ends"});
    CHECK(supervisor->restart_child("a").error().kind == "unknown_child");
    CHECK(supervisor->delete_child("a").error().kind == "unknown_child");
  }

  TEST_CASE("terminating a child that ignores its stop says that it was left behind") {
    FakeChildren fakes;
    const auto supervisor = started<>(
        {.name = "shop"},
        {fakes.child(
            "a", FakeChildren::Behaviour{.shutdown = Shutdown::after(1ms), .ignores_stop = true})});
    const Result<void> terminated = supervisor->terminate_child("a");
    REQUIRE_FALSE(terminated);
    CHECK(terminated.error().code == ErrorCode::unavailable);
    CHECK(terminated.error().kind == "over_time");
    CHECK(states(*supervisor) == "a stopped");
  }

  TEST_CASE("what is asked after the end is refused") {
    FakeChildren fakes;
    const auto supervisor = started<>(with_template(fakes), {});
    CHECK(supervisor->stop());
    CHECK(supervisor->start_child(fakes.child("a")).error().kind == "supervisor_ended");
    CHECK(supervisor->resolve("a").error().kind == "supervisor_ended");
    CHECK(supervisor->whereis("a") == nullptr);
  }

  TEST_CASE("what is asked and not begun when a stop comes is refused") {
    FakeChildren fakes;
    Gate begun;
    Gate gate;
    const auto supervisor = started<>({}, {});
    std::thread busy([&] {
      static_cast<void>(supervisor->start_child(
          {.id = "block", .start = [&](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
             begun.open();
             gate.pass();
             return std::unexpected(fault());
           }}));
    });
    begun.pass();
    std::latch asking(1);
    std::optional<Error> refused;
    std::thread late([&] {
      asking.count_down();
      refused = supervisor->start_child(fakes.child("a")).error();
    });
    asking.wait();
    supervisor->request_stop();
    gate.open();
    busy.join();
    late.join();
    REQUIRE(refused);
    CHECK(refused->kind == "supervisor_ended");
  }

  TEST_CASE("the supervising thread is refused what it would wait for and may look") {
    FakeChildren fakes;
    Supervisor* self = nullptr;
    std::vector<std::string> kinds;
    std::size_t seen = 0;
    const auto supervisor = started<>(
        {.observer =
             [&](const SupervisorEvent& event) {
               if (event.child != "b") return;
               kinds = {self->start_child(fakes.child("c")).error().kind, self->wait().error().kind,
                        self->terminate_child("a").error().kind};
               seen = self->children().size();
             }},
        {fakes.child("a")});
    self = supervisor.get();
    CHECK(supervisor->start_child(fakes.child("b")));
    CHECK(kinds == std::vector<std::string>{"would_deadlock", "would_deadlock", "would_deadlock"});
    CHECK(seen == 2);
  }

  TEST_CASE("an observer may ask for the end and what it throws counts for nothing") {
    FakeChildren fakes;
    Supervisor* self = nullptr;
    const auto supervisor = started<>({.observer =
                                           [&](const SupervisorEvent& event) {
                                             if (event.child == "b") self->request_stop();
                                             throw std::runtime_error("from an observer");
                                           }},
                                      {fakes.child("a")});
    self = supervisor.get();
    CHECK(supervisor->start_child(fakes.child("b")));
    CHECK(supervisor->wait());
    CHECK(fakes.journal() == "+a +b -b -a");
  }
}

TEST_SUITE("supervisor: names") {
  TEST_CASE("a child is found by its name while it runs and no longer") {
    FakeChildren fakes;
    const auto supervisor = started<>(
        {},
        {fakes.child("a", FakeChildren::Behaviour{.restart = Restart::temporary, .name = "n"})});
    CHECK(supervisor->whereis("n") != nullptr);
    CHECK(supervisor->whereis("a") == nullptr);
    fakes.die("a");
    CHECK(supervisor->whereis("n") == nullptr);  // at once: not only when the supervisor knows
    settle(*supervisor);
    CHECK(supervisor->start_child(fakes.child("b", FakeChildren::Behaviour{.name = "n"})));
    CHECK(supervisor->whereis("n") != nullptr);
    CHECK(supervisor->stop());
    CHECK(supervisor->whereis("n") == nullptr);
  }

  TEST_CASE("a name has one holder and who comes second is told the first") {
    FakeChildren fakes;
    const auto names = std::make_shared<ChildNames>();
    const auto first = started<>({.name = "one", .names = names},
                                 {fakes.child("a", FakeChildren::Behaviour{.name = "n"})});
    const auto second = Supervisor::start({.name = "two", .names = names},
                                          {fakes.child("b", FakeChildren::Behaviour{.name = "n"})});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::conflict);
    CHECK(second.error().kind == "name_taken");
    CHECK(second.error().message ==
          "child \"b\" of \"two\" did not start: the name \"n\" that "
          "\"two/b\" wants is held by \"one/a\"");
    CHECK(names->whereis("n") == first->whereis("n"));
  }

  TEST_CASE("trees with names of their own run side by side") {
    FakeChildren fakes;
    FakeChildren others;
    const auto first = started<>(with_template(fakes), {});
    const auto second = started<>(with_template(others), {});
    const auto a = first->resolve("alice");
    const auto b = second->resolve("alice");
    REQUIRE(a);
    REQUIRE(b);
    CHECK(*a != *b);
    CHECK(first->stop());
    CHECK(second->whereis("alice") == *b);
  }

  TEST_CASE("supervisors that share names resolve to the child of either") {
    FakeChildren fakes;
    const auto names = std::make_shared<ChildNames>();
    const auto first = started<>(with_template(fakes, names), {});
    const auto second = started<>(with_template(fakes, names), {});
    const auto found = first->resolve("alice");
    CHECK(second->resolve("alice") == found);
    CHECK(second->children().empty());
  }

  TEST_CASE("resolve starts what is absent once for any number of callers") {
    FakeChildren fakes;
    const auto supervisor = started<>(with_template(fakes), {});
    std::vector<std::shared_ptr<Child>> found(8);
    {
      std::latch all(8);
      std::vector<std::jthread> callers;
      for (auto& mine : found)
        callers.emplace_back([&] {
          all.arrive_and_wait();
          mine = supervisor->resolve("alice").value_or(nullptr);
        });
    }
    CHECK(found[0] != nullptr);
    CHECK(std::ranges::count(found, found[0]) == 8);
    CHECK(fakes.journal() == "+alice");
  }

  TEST_CASE("resolve gives the restarted child after a death") {
    FakeChildren fakes;
    const auto supervisor = started<>(with_template(fakes), {});
    const auto before = supervisor->resolve("alice");
    fakes.die("alice");
    const auto after = supervisor->resolve("alice");
    REQUIRE(after);
    CHECK(*after != *before);
    CHECK(fakes.journal() == "+alice +alice");
  }

  TEST_CASE("resolve starts anew what was terminated and refuses what waits for its restart") {
    FakeChildren fakes;
    Supervisor::Options options = with_template(fakes);
    options.backoff = {.first = 1h, .longest = 1h};
    const auto supervisor = started<>(options, {});
    CHECK(supervisor->resolve("alice"));
    CHECK(supervisor->terminate_child("alice"));
    CHECK(supervisor->resolve("alice"));
    CHECK(fakes.journal() == "+alice -alice +alice");
    fakes.die("alice");
    CHECK(supervisor->resolve("alice").error().kind == "restarting");
  }

  TEST_CASE("a failed start is told to the caller and the next one tries again") {
    FakeChildren fakes;
    const auto supervisor = started<>(with_template(fakes), {});
    fakes.fail_starts("alice", 1);
    CHECK(supervisor->resolve("alice").error() == fault("would not start"));
    CHECK(supervisor->resolve("alice"));
  }

  TEST_CASE("resolve without a template finds and does not start") {
    FakeChildren fakes;
    const auto supervisor = started<>({}, {fakes.child("a", FakeChildren::Behaviour{.name = "a"})});
    CHECK(supervisor->resolve("a"));
    CHECK(supervisor->resolve("b").error().kind == "no_template");
  }
}

}  // namespace weir
