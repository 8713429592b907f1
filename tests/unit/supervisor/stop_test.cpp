#include <doctest/doctest.h>

#include <weir/supervisor/supervisor_child.hpp>
#include <weir/supervisor/thread_child.hpp>

#include "puppets.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_SUITE("supervisor: start and stop") {
  TEST_CASE("children start in order and stop in reverse") {
    Puppets puppets;
    const auto supervisor =
        started<>({}, {puppets.child("a"), puppets.child("b"), puppets.child("c")});
    CHECK(supervisor->stop());
    CHECK(puppets.journal() == "+a +b +c -c -b -a");
    CHECK(supervisor->wait());
    CHECK(supervisor->stop());
  }

  TEST_CASE("the destructor stops them as well") {
    Puppets puppets;
    started<>({}, {puppets.child("a"), puppets.child("b")});
    CHECK(puppets.journal() == "+a +b -b -a");
  }

  TEST_CASE("a start that fails stops those before it in reverse and is told with its child") {
    Puppets puppets;
    puppets.fail_starts("c", 1);
    const auto supervisor = Supervisor::start(
        {.name = "shop"},
        {puppets.child("a"), puppets.child("b"), puppets.child("c"), puppets.child("d")});
    REQUIRE_FALSE(supervisor);
    CHECK(supervisor.error() ==
          Error{.code = ErrorCode::unavailable,
                .kind = "fault",
                .message = "child \"c\" of \"shop\" did not start: would not start"});
    CHECK(puppets.journal() == "+a +b !c -b -a");
  }

  TEST_CASE("an exception out of a start counts as its error") {
    const auto supervisor = Supervisor::start(
        {.name = "shop"},
        {{.id = "a", .start = [](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
            throw std::runtime_error("out of everything");
          }}});
    REQUIRE_FALSE(supervisor);
    CHECK(supervisor.error().kind == "exception");
    CHECK(supervisor.error().message == "child \"a\" of \"shop\" did not start: out of everything");
  }

  TEST_CASE("a start that returns neither child nor error is one that failed") {
    const auto supervisor = Supervisor::start(
        {}, {{.id = "a", .start = [](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
                return std::shared_ptr<Child>();
              }}});
    REQUIRE_FALSE(supervisor);
    CHECK(supervisor.error().kind == "no_child");
  }

  TEST_CASE("children without id or start and ids given twice are refused before they start") {
    Puppets puppets;
    CHECK(Supervisor::start({}, {puppets.child("")}).error().kind == "bad_child");
    CHECK(Supervisor::start({}, {{.id = "a"}}).error().kind == "bad_child");
    const auto twice =
        Supervisor::start({.name = "shop"}, {puppets.child("a"), puppets.child("a")});
    REQUIRE_FALSE(twice);
    CHECK(twice.error().kind == "already_started");
    CHECK(twice.error().message == "child \"a\" of \"shop\" exists already");
    CHECK(puppets.journal() == "+a -a");
  }

  TEST_CASE("a child over its time is left behind and reported and the others still stop") {
    Puppets puppets;
    Witness witness;
    const auto supervisor = started<>(
        {.name = "shop", .observer = witness.observer()},
        {puppets.child("a"),
         puppets.child("b",
                       Puppets::Manners{.shutdown = Shutdown::after(1ms), .ignores_stop = true}),
         puppets.child("c")});
    witness.lines();
    CHECK(supervisor->stop());
    CHECK(puppets.journal() == "+a +b +c -c -b ~b -a");
    CHECK(witness.lines() ==
          std::vector<std::string>{"shop: c stopped",
                                   "shop: b did not stop in time and is left behind",
                                   "shop: a stopped"});
    CHECK(supervisor->children()[1].abandoned == 1);
    puppets.die("b");  // late: nobody hears it
  }

  TEST_CASE("a child that is to stop at once is asked and not waited for") {
    Puppets puppets;
    const auto supervisor = started<>(
        {}, {puppets.child("a",
                           Puppets::Manners{.shutdown = Shutdown::at_once(), .ignores_stop = true}),
             puppets.child("b", Puppets::Manners{.shutdown = Shutdown::at_once()})});
    CHECK(supervisor->stop());
    CHECK(puppets.journal() == "+a +b -b -a ~a");
  }

  TEST_CASE("a child that may take for ever is waited for until it says that it ended") {
    Puppets puppets;
    const auto supervisor = started<>(
        {},
        {puppets.child("a"), puppets.child("b", Puppets::Manners{.shutdown = Shutdown::forever(),
                                                                 .ignores_stop = true})});
    puppets.journal();
    supervisor->request_stop();
    std::string seen;
    while (seen.empty()) seen = puppets.journal();
    CHECK(seen == "-b");
    CHECK(supervisor->children()[0].state == ChildInfo::State::running);
    puppets.die("b", {});
    CHECK(supervisor->wait());
    CHECK(puppets.journal() == "-a");
  }

  TEST_CASE("a child that throws out of its stop has its time to end by itself") {
    std::optional<ChildEnd> end;
    Witness witness;
    const auto supervisor = started<>(
        {.observer = witness.observer()},
        {{.id = "a", .start = [&](const ChildEnd& told) -> Result<std::shared_ptr<Child>> {
            return child_stopped_by([told] {
              told.with(fault("late"));
              throw std::runtime_error("from stop");
            });
          }}});
    CHECK(supervisor->stop());
    CHECK(witness.lines() ==
          std::vector<std::string>{"supervisor: a started", "supervisor: a stopped: late"});
  }

  TEST_CASE("a death after a stop was requested starts nothing") {
    Puppets puppets;
    Gate begun;
    Gate gate;
    const auto supervisor = started<>({}, {puppets.child("a"), puppets.child("b")});
    std::thread busy([&] {
      static_cast<void>(supervisor->start_child(
          {.id = "block", .start = [&](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
             begun.open();
             gate.pass();
             return std::unexpected(fault());
           }}));
    });
    begun.pass();
    supervisor->request_stop();
    puppets.die("b");
    gate.open();
    busy.join();
    CHECK(supervisor->wait());
    CHECK(puppets.journal() == "+a +b -a");
  }

  TEST_CASE("a tree that is wedged below is left behind by the one above") {
    Puppets puppets;
    Witness witness;
    {
      const auto outer = started<>(
          {.name = "outer", .observer = witness.observer()},
          {supervisor_child({.name = "inner"},
                            {puppets.child("a", Puppets::Manners{.shutdown = Shutdown::forever(),
                                                                 .ignores_stop = true})},
                            Shutdown::after(1ms))});
      CHECK(outer->stop());
    }
    CHECK(witness.lines().back() == "outer: inner did not stop in time and is left behind");
    puppets.die("a");  // the supervisor that was left behind ends now
  }
}

TEST_SUITE("supervisor: threads as children") {
  TEST_CASE("a thread runs its body until it is asked to stop") {
    Gate began;
    std::atomic<bool> ended = false;
    const auto supervisor = started<>({}, {thread_child("a", [&](const StopSignal& stop) {
                                        began.open();
                                        stop.wait();
                                        ended = true;
                                      })});
    began.pass();
    CHECK_FALSE(ended);
    CHECK(supervisor->stop());
    CHECK(ended);
  }

  TEST_CASE("an error and an exception out of a body are its death") {
    Witness witness;
    int lives = 0;
    const auto supervisor = started<>({.name = "shop",
                                       .limit = {.max_restarts = 1, .max_seconds = 3600s},
                                       .observer = witness.observer()},
                                      {thread_child("a", [&](const StopSignal&) -> Result<void> {
                                        if (++lives == 1) throw std::runtime_error("thrown");
                                        return std::unexpected(fault("returned"));
                                      })});
    CHECK_FALSE(supervisor->wait());
    const std::vector<std::string> lines = witness.lines();
    REQUIRE(lines.size() == 5);
    CHECK(lines[0] == "shop: a started");
    CHECK(lines[1] == "shop: a ended: thrown; restart 1 in 0 ms");
    CHECK(lines[2] == "shop: a started again");
    CHECK(lines[3] == "shop: a ended: returned");
    CHECK(lines[4].starts_with("shop: a is given up: \"shop\" gives up on \"a\", which ended 2 "));
  }

  TEST_CASE("what a body held is gone when its child is said to have ended") {
    std::weak_ptr<int> seen;
    bool gone = false;
    const auto supervisor = started<>(
        {.observer =
             [&](const SupervisorEvent& event) {
               if (event.what == SupervisorEvent::What::died) gone = seen.expired();
             }},
        {{.id = "a",
          .start = [&](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
            auto held = std::make_shared<int>(1);
            seen = held;
            return std::make_shared<ThreadChild>(
                end, [mine = std::move(held)](const StopSignal&) -> Result<void> { return {}; });
          },
          .restart = Restart::temporary}});
    while (!supervisor->children().empty()) std::this_thread::yield();
    CHECK(supervisor->stop());
    CHECK(gone);
  }

  TEST_CASE("a thread that ignores its stop is left behind and ends in peace later") {
    const auto gate = std::make_shared<Gate>();
    const auto ended = std::make_shared<Gate>();
    {
      const auto supervisor = started<>({}, {thread_child(
                                                "a",
                                                [gate, ended](const StopSignal&) {
                                                  gate->pass();
                                                  ended->open();
                                                },
                                                Restart::permanent, Shutdown::after(1ms))});
      CHECK(supervisor->stop());
      CHECK(supervisor->children()[0].abandoned == 1);
    }
    gate->open();
    ended->pass();
  }

  TEST_CASE("a stop signal ends a sleep") {
    const StopSource source;
    CHECK_FALSE(source.signal().stop_requested());
    CHECK_FALSE(source.signal().wait_for(0ms));
    std::thread sleeper([signal = source.signal()] { CHECK(signal.wait_for(1h)); });
    source.request();
    sleeper.join();
    CHECK(source.signal().stop_requested());
    source.signal().wait();
  }
}

}  // namespace weir
