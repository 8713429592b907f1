#include <doctest/doctest.h>

#include <weir/supervisor/supervisor_child.hpp>
#include <weir/supervisor/thread_child.hpp>

#include "fake_children.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

}  // namespace

TEST_SUITE("supervisor: start and stop") {
  TEST_CASE("children start in order and stop in reverse") {
    FakeChildren fakes;
    const auto supervisor = started<>({}, {fakes.child("a"), fakes.child("b"), fakes.child("c")});
    CHECK(supervisor->stop());
    CHECK(fakes.journal() == "+a +b +c -c -b -a");
    CHECK(supervisor->wait());
    CHECK(supervisor->stop());
  }

  TEST_CASE("the destructor stops them as well") {
    FakeChildren fakes;
    started<>({}, {fakes.child("a"), fakes.child("b")});
    CHECK(fakes.journal() == "+a +b -b -a");
  }

  TEST_CASE("a start that fails stops those before it in reverse and is told with its child") {
    FakeChildren fakes;
    fakes.fail_starts("c", 1);
    const auto supervisor = Supervisor::start(
        {.name = "shop"}, {fakes.child("a"), fakes.child("b"), fakes.child("c"), fakes.child("d")});
    REQUIRE_FALSE(supervisor);
    CHECK(supervisor.error() ==
          Error{.code = ErrorCode::unavailable,
                .kind = "fault",
                .message = "child \"c\" of \"shop\" did not start: would not start"});
    CHECK(fakes.journal() == "+a +b !c -b -a");
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
    FakeChildren fakes;
    CHECK(Supervisor::start({}, {fakes.child("")}).error().kind == "bad_child");
    CHECK(Supervisor::start({}, {{.id = "a"}}).error().kind == "bad_child");
    const auto twice = Supervisor::start({.name = "shop"}, {fakes.child("a"), fakes.child("a")});
    REQUIRE_FALSE(twice);
    CHECK(twice.error().kind == "already_started");
    CHECK(twice.error().message == "child \"a\" of \"shop\" exists already");
    CHECK(fakes.journal() == "+a -a");
  }

  TEST_CASE("a child over its time is left behind and reported and the others still stop") {
    FakeChildren fakes;
    EventRecorder recorder;
    const auto supervisor = started<>(
        {.name = "shop", .observer = recorder.observer()},
        {fakes.child("a"),
         fakes.child(
             "b", FakeChildren::Behaviour{.shutdown = Shutdown::after(1ms), .ignores_stop = true}),
         fakes.child("c")});
    recorder.lines();
    CHECK(supervisor->stop());
    CHECK(fakes.journal() == "+a +b +c -c -b ~b -a");
    CHECK(recorder.lines() ==
          std::vector<std::string>{"shop: c stopped",
                                   "shop: b did not stop in time and is left behind",
                                   "shop: a stopped"});
    CHECK(supervisor->children()[1].abandoned == 1);
    fakes.die("b");  // late: it is ignored
  }

  TEST_CASE("a child that is to stop at once is asked and not waited for") {
    FakeChildren fakes;
    const auto supervisor =
        started<>({}, {fakes.child("a", FakeChildren::Behaviour{.shutdown = Shutdown::at_once(),
                                                                .ignores_stop = true}),
                       fakes.child("b", FakeChildren::Behaviour{.shutdown = Shutdown::at_once()})});
    CHECK(supervisor->stop());
    CHECK(fakes.journal() == "+a +b -b -a ~a");
  }

  TEST_CASE("a child that may take for ever is waited for until it says that it ended") {
    FakeChildren fakes;
    const auto supervisor = started<>(
        {},
        {fakes.child("a"), fakes.child("b", FakeChildren::Behaviour{.shutdown = Shutdown::forever(),
                                                                    .ignores_stop = true})});
    fakes.journal();
    supervisor->request_stop();
    std::string seen;
    while (seen.empty()) seen = fakes.journal();
    CHECK(seen == "-b");
    CHECK(supervisor->children()[0].state == ChildInfo::State::running);
    fakes.die("b", {});
    CHECK(supervisor->wait());
    CHECK(fakes.journal() == "-a");
  }

  TEST_CASE("a child that throws out of its stop has its time to end by itself") {
    std::optional<ChildEnd> end;
    EventRecorder recorder;
    const auto supervisor = started<>(
        {.observer = recorder.observer()},
        {{.id = "a", .start = [&](const ChildEnd& end_of_child) -> Result<std::shared_ptr<Child>> {
            return child_stopped_by([end_of_child] {
              end_of_child.with(fault("late"));
              throw std::runtime_error("from stop");
            });
          }}});
    CHECK(supervisor->stop());
    CHECK(recorder.lines() ==
          std::vector<std::string>{"supervisor: a started", "supervisor: a stopped: late"});
  }

  TEST_CASE("a death after a stop was requested starts nothing") {
    FakeChildren fakes;
    Gate begun;
    Gate gate;
    const auto supervisor = started<>({}, {fakes.child("a"), fakes.child("b")});
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
    fakes.die("b");
    gate.open();
    busy.join();
    CHECK(supervisor->wait());
    CHECK(fakes.journal() == "+a +b -a");
  }

  TEST_CASE("a tree that is wedged below is left behind by the one above") {
    FakeChildren fakes;
    EventRecorder recorder;
    {
      const auto outer =
          started<>({.name = "outer", .observer = recorder.observer()},
                    {supervisor_child(
                        {.name = "inner"},
                        {fakes.child("a", FakeChildren::Behaviour{.shutdown = Shutdown::forever(),
                                                                  .ignores_stop = true})},
                        Shutdown::after(1ms))});
      CHECK(outer->stop());
    }
    CHECK(recorder.lines().back() == "outer: inner did not stop in time and is left behind");
    fakes.die("a");  // the supervisor that was left behind ends now
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
    EventRecorder recorder;
    int lives = 0;
    const auto supervisor = started<>({.name = "shop",
                                       .limit = {.max_restarts = 1, .max_seconds = 3600s},
                                       .observer = recorder.observer()},
                                      {thread_child("a", [&](const StopSignal&) -> Result<void> {
                                        if (++lives == 1) throw std::runtime_error("thrown");
                                        return std::unexpected(fault("returned"));
                                      })});
    CHECK_FALSE(supervisor->wait());
    const std::vector<std::string> lines = recorder.lines();
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
