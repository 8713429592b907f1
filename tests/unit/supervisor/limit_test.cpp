#include <doctest/doctest.h>

#include <weir/supervisor/supervisor_child.hpp>

#include "fake_children.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using Clock = ManualSync::Clock;
using Window = RestartWindow<Clock>;

Clock::time_point at(Clock::duration time) { return Clock::time_point(time); }

}  // namespace

TEST_SUITE("supervisor: limits") {
  TEST_CASE("as many restarts as allowed are allowed and the next is not") {
    Window window({.max_restarts = 3, .max_seconds = 5s});
    for (int i = 0; i < 3; ++i) CHECK(window.allow(at(0s)));
    CHECK_FALSE(window.allow(at(0s)));
    CHECK(window.count() == 3);
  }

  TEST_CASE("a restart counts up to and including max_seconds after it") {
    Window window({.max_restarts = 1, .max_seconds = 5s});
    CHECK(window.allow(at(10s)));
    CHECK_FALSE(window.allow(at(15s)));
    CHECK(window.allow(at(15s + 1ns)));
  }

  TEST_CASE("the window slides: only what is too old stops counting") {
    Window window({.max_restarts = 2, .max_seconds = 5s});
    CHECK(window.allow(at(0s)));
    CHECK(window.allow(at(4s)));
    CHECK(window.allow(at(6s)));
    CHECK_FALSE(window.allow(at(7s)));
    CHECK(window.allow(at(10s)));
  }

  TEST_CASE("a limit of none gives up at the first death") {
    Window window({.max_restarts = 0, .max_seconds = 5s});
    CHECK_FALSE(window.allow(at(0s)));
  }

  TEST_CASE("a child may die max_restarts times and the next death ends its supervisor") {
    FakeChildren fakes;
    const auto supervisor =
        started<ManualSync>({.name = "shop", .limit = {.max_restarts = 2, .max_seconds = 5s}},
                            {fakes.child("a"), fakes.child("b"), fakes.child("c")});
    for (int i = 0; i < 2; ++i) {
      fakes.die("b");
      settle(*supervisor);
    }
    CHECK(fakes.journal() == "+a +b +c +b +b");
    Clock::advance(5s);  // at the border: both still count
    fakes.die("b", fault("no such table"));
    const Result<void> end = supervisor->wait();
    CHECK(fakes.journal() == "-c -a");
    REQUIRE_FALSE(end);
    CHECK(end.error().code == ErrorCode::unavailable);
    CHECK(end.error().kind == "gave_up");
    CHECK(end.error().message ==
          "\"shop\" gives up on \"b\", which ended 3 times (limit: 2 restarts within 5 s), "
          "most recently with: no such table");
    CHECK(states(*supervisor) == "a stopped, b ended, c stopped");
  }

  TEST_CASE("deaths that are far enough apart go on for ever") {
    FakeChildren fakes;
    const auto supervisor =
        started<ManualSync>({.limit = {.max_restarts = 2, .max_seconds = 5s}}, {fakes.child("a")});
    for (int i = 0; i < 20; ++i) {
      fakes.die("a");
      settle(*supervisor);
      Clock::advance(2'500ms + 1ns);
    }
    CHECK(states(*supervisor) == "a running");
  }

  TEST_CASE("restarts of all children count together") {
    FakeChildren fakes;
    const auto supervisor = started<ManualSync>({.limit = {.max_restarts = 1, .max_seconds = 5s}},
                                                {fakes.child("a"), fakes.child("b")});
    fakes.die("a");
    settle(*supervisor);
    fakes.die("b");
    CHECK(supervisor->wait().error().kind == "gave_up");
  }

  TEST_CASE("a start that fails in a restart counts as well") {
    FakeChildren fakes;
    const auto supervisor =
        started<ManualSync>({.limit = {.max_restarts = 3, .max_seconds = 5s}}, {fakes.child("a")});
    fakes.fail_starts("a", 100);
    fakes.die("a");
    CHECK(supervisor->wait().error().message.ends_with("most recently with: would not start"));
    CHECK(fakes.journal() == "+a !a !a !a");
    CHECK(supervisor->children()[0].deaths == 4);
  }

  TEST_CASE("children that are not started again do not count") {
    FakeChildren fakes;
    const auto supervisor = started<ManualSync>(
        {.limit = {.max_restarts = 0, .max_seconds = 5s}},
        {fakes.child("a", Restart::temporary), fakes.child("b", Restart::transient)});
    fakes.die("a");
    fakes.die("b", {});
    settle(*supervisor);
    CHECK(states(*supervisor) == "b ended");
  }

  TEST_CASE("a permanent child that keeps ending without an error is given up too") {
    FakeChildren fakes;
    const auto supervisor = started<ManualSync>(
        {.name = "shop", .limit = {.max_restarts = 0, .max_seconds = 1s}}, {fakes.child("a")});
    fakes.die("a", {});
    CHECK(supervisor->wait().error() ==
          Error{.code = ErrorCode::internal,
                .kind = "gave_up",
                .message = "\"shop\" gives up on \"a\", which ended 1 time (limit: 0 restarts "
                           "within 1 s), most recently without an error",
                .hint = "a permanent child must not end by itself"});
  }

  TEST_CASE("the wait before a restart doubles with what counts and has a longest") {
    FakeChildren fakes;
    EventRecorder recorder;
    const auto supervisor = started<ManualSync>({.name = "shop",
                                                 .limit = {.max_restarts = 9, .max_seconds = 60s},
                                                 .backoff = {.first = 100ms, .longest = 300ms},
                                                 .observer = recorder.observer()},
                                                {fakes.child("a")});
    recorder.lines();
    fakes.journal();
    for (const auto delay : {100ms, 200ms, 300ms, 300ms}) {
      fakes.die("a");
      settle(*supervisor);
      CHECK(states(*supervisor) == "a restarting");
      Clock::advance(delay - 1ns);
      settle(*supervisor);
      CHECK(fakes.journal() == "");
      Clock::advance(1ns);
      settle(*supervisor);  // wakes it; the restart comes before the next call
      settle(*supervisor);
      CHECK(fakes.journal() == "+a");
      CHECK(recorder.lines().size() == 2);
    }
  }

  TEST_CASE(
      "a wait of which only the first is set lasts so long, and none lasts no time by default") {
    CHECK(ManualSupervisor::Options().backoff.first > 0ms);
    FakeChildren fakes;
    const auto supervisor = started<ManualSync>({.limit = never_gives_up, .backoff = {.first = 5s}},
                                                {fakes.child("a")});
    for (int i = 0; i < 3; ++i) {
      fakes.journal();
      fakes.die("a");
      settle(*supervisor);
      Clock::advance(5s - 1ns);
      settle(*supervisor);
      CHECK(fakes.journal() == "");
      Clock::advance(1ns);
      settle(*supervisor);
      settle(*supervisor);
      CHECK(fakes.journal() == "+a");
    }
  }

  TEST_CASE("limits and times that mean nothing are refused") {
    FakeChildren fakes;
    const auto kind = [&](ManualSupervisor::Options options, Shutdown shutdown) {
      const auto refused = ManualSupervisor::start(
          std::move(options), {fakes.child("a", FakeChildren::Behaviour{.shutdown = shutdown})});
      return refused ? std::string() : refused.error().kind;
    };
    const Shutdown soon = Shutdown::after(1s);
    CHECK(kind({}, soon) == "");
    for (const auto seconds : {0s, -1s, std::chrono::seconds::min(), std::chrono::seconds::max()})
      CHECK(kind({.limit = {.max_seconds = seconds}}, soon) == "bad_limit");
    CHECK(kind({.backoff = {.first = -1ms}}, soon) == "bad_backoff");
    CHECK(kind({.backoff = {.longest = -1ms}}, soon) == "bad_backoff");
    CHECK(kind({.backoff = {.longest = std::chrono::milliseconds::max()}}, soon) == "bad_backoff");
    CHECK(kind({}, Shutdown::after(-1ms)) == "bad_child");
    CHECK(kind({}, Shutdown::at_once()) == "");
    CHECK(kind({}, Shutdown::forever()) == "");
    CHECK(fakes.journal() == "+a -a +a -a +a -a");

    const auto supervisor = started<ManualSync>({}, {});
    CHECK(supervisor->start_child(fakes.child("b", {.shutdown = Shutdown::after(-1ms)}))
              .error()
              .kind == "bad_child");
  }

  TEST_CASE("a restart that waits is called off by terminate_child and by a stop") {
    FakeChildren fakes;
    const auto supervisor =
        started<ManualSync>({.limit = never_gives_up, .backoff = {.first = 1h, .longest = 1h}},
                            {fakes.child("a"), fakes.child("b")});
    fakes.die("a");
    fakes.die("b");
    settle(*supervisor);
    CHECK(supervisor->terminate_child("a"));
    CHECK(states(*supervisor) == "a stopped, b restarting");
    CHECK(supervisor->stop());
    CHECK(states(*supervisor) == "a stopped, b stopped");
    CHECK(fakes.journal() == "+a +b");
  }
}

TEST_SUITE("supervisor: trees") {
  TEST_CASE("giving up is a death to the supervisor above and goes up through two levels") {
    FakeChildren fakes;
    EventRecorder recorder;
    const ManualSupervisor::Options inner = {.name = "inner",
                                             .limit = {.max_restarts = 1, .max_seconds = 5s},
                                             .backoff = {.first = 0ms}};
    const ManualSupervisor::Options middle = {.name = "middle",
                                              .limit = {.max_restarts = 1, .max_seconds = 5s},
                                              .backoff = {.first = 0ms}};
    const auto outer = started<ManualSync>(
        {.name = "outer",
         .limit = {.max_restarts = 0, .max_seconds = 5s},
         .observer = recorder.observer()},
        {fakes.child("first"),
         basic_supervisor_child<ManualSync>(
             middle,
             {fakes.child("second"), basic_supervisor_child<ManualSync>(
                                         inner, {fakes.child("third"), fakes.child("fourth")})}),
         fakes.child("last")});
    CHECK(fakes.journal() == "+first +second +third +fourth +last");
    fakes.fail_starts("third", 1'000);  // every restart of inner fails after the first give-up
    fakes.die("third", fault("no disk"));
    const Result<void> end = outer->wait();
    REQUIRE_FALSE(end);
    CHECK(end.error().kind == "gave_up");
    CHECK(end.error().code == ErrorCode::unavailable);
    CHECK(end.error().message ==
          "\"outer\" gives up on \"middle\", which ended 1 time (limit: 0 restarts within 5 "
          "s), most recently with: \"middle\" gives up on \"inner\", which ended 2 times (limit: 1 "
          "restarts within 5 s), most recently with: child \"third\" of \"inner\" did not start: "
          "would "
          "not start");
    CHECK(fakes.journal() == "!third -fourth !third -second -last -first");
  }

  TEST_CASE("a tree stops from the last leaf to the first") {
    FakeChildren fakes;
    const auto outer =
        started<>({.name = "outer"},
                  {fakes.child("a"),
                   supervisor_child({.name = "inner"}, {fakes.child("b"), fakes.child("c")}),
                   fakes.child("d")});
    CHECK(outer->stop());
    CHECK(fakes.journal() == "+a +b +c +d -d -c -b -a");
  }

  TEST_CASE("a supervisor that gave up is started again by the one above with all its children") {
    FakeChildren fakes;
    const auto outer = started<>(
        {.name = "outer", .limit = never_gives_up},
        {supervisor_child({.name = "inner", .limit = {.max_restarts = 0, .max_seconds = 1s}},
                          {fakes.child("a"), fakes.child("b")})});
    fakes.journal();
    fakes.die("a");
    while (outer->children()[0].starts < 2) std::this_thread::yield();
    CHECK(fakes.journal() == "-b +a +b");
    CHECK(states(*outer) == "inner running");
  }
}

}  // namespace weir
