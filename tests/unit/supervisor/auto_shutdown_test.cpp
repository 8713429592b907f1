#include <doctest/doctest.h>

#include <weir/supervisor/supervisor_child.hpp>

#include "fake_children.hpp"

namespace weir {
namespace {

ChildSpec significant(FakeChildren& fakes, const std::string& id,
                      Restart restart = Restart::transient) {
  ChildSpec spec = fakes.child(id, restart);
  spec.significant = true;
  return spec;
}

}  // namespace

TEST_SUITE("supervisor: significant children") {
  TEST_CASE("the first significant child that ends well ends a supervisor of any_significant") {
    FakeChildren fakes;
    EventRecorder recorder;
    const auto supervisor = started<>(
        {.name = "shop",
         .auto_shutdown = AutoShutdown::any_significant,
         .observer = recorder.observer()},
        {fakes.child("a"), significant(fakes, "b"), significant(fakes, "c"), fakes.child("d")});
    recorder.lines();
    fakes.die("b", {});
    CHECK(supervisor->wait());
    CHECK(fakes.journal() == "+a +b +c +d -d -c -a");
    CHECK(recorder.lines() ==
          std::vector<std::string>{"shop: b ended",
                                   "shop: b is significant, and its end ends the supervisor",
                                   "shop: d stopped", "shop: c stopped", "shop: a stopped"});
  }

  TEST_CASE("the last significant child that ends well ends a supervisor of all_significant") {
    FakeChildren fakes;
    const auto supervisor = started<>(
        {.auto_shutdown = AutoShutdown::all_significant},
        {fakes.child("a"), significant(fakes, "b"), significant(fakes, "c", Restart::temporary)});
    fakes.die("c");
    settle(*supervisor);
    CHECK(states(*supervisor) == "a running, b running");
    fakes.die("b", {});
    CHECK(supervisor->wait());
  }

  TEST_CASE("a significant child that waits for its restart keeps its supervisor") {
    FakeChildren fakes;
    const auto supervisor =
        started<>({.auto_shutdown = AutoShutdown::all_significant,
                   .limit = never_gives_up,
                   .backoff = {.first = std::chrono::hours(1), .longest = std::chrono::hours(1)}},
                  {significant(fakes, "a"), significant(fakes, "b")});
    fakes.die("a");
    fakes.die("b", {});
    settle(*supervisor);
    CHECK(states(*supervisor) == "a restarting, b ended");
    CHECK(supervisor->stop());
  }

  TEST_CASE("a transient child that died with an error is restarted although it is significant") {
    FakeChildren fakes;
    const auto supervisor =
        started<>({.auto_shutdown = AutoShutdown::any_significant}, {significant(fakes, "a")});
    fakes.die("a");
    settle(*supervisor);
    CHECK(states(*supervisor) == "a running");
  }

  TEST_CASE("children that are stopped or ended without being significant end no supervisor") {
    FakeChildren fakes;
    const auto supervisor = started<>(
        {.strategy = Strategy::one_for_all, .auto_shutdown = AutoShutdown::any_significant},
        {fakes.child("a"), fakes.child("b", Restart::transient), significant(fakes, "c"),
         significant(fakes, "d")});
    fakes.die("b", {});
    settle(*supervisor);
    fakes.die("a");
    settle(*supervisor);
    CHECK(supervisor->terminate_child("c"));
    CHECK(states(*supervisor) == "a running, b running, c stopped, d running");
  }

  TEST_CASE("a permanent child and one of a supervisor without auto_shutdown are not significant") {
    FakeChildren fakes;
    const auto permanent =
        Supervisor::start({.name = "shop", .auto_shutdown = AutoShutdown::any_significant},
                          {significant(fakes, "a", Restart::permanent)});
    REQUIRE_FALSE(permanent);
    CHECK(permanent.error().kind == "bad_child");
    CHECK(permanent.error().message == "child \"a\" of \"shop\" cannot be significant");
    CHECK(Supervisor::start({}, {significant(fakes, "a")}).error().kind == "bad_child");
    CHECK(fakes.journal() == "");
  }

  TEST_CASE("an inner supervisor that shut down has ended well for the one above") {
    FakeChildren fakes;
    ChildSpec inner =
        supervisor_child({.name = "inner", .auto_shutdown = AutoShutdown::any_significant},
                         {significant(fakes, "a", Restart::temporary)});
    inner.restart = Restart::transient;
    inner.significant = true;
    const auto outer =
        started<>({.auto_shutdown = AutoShutdown::any_significant}, {fakes.child("b"), inner});
    fakes.die("a");
    CHECK(outer->wait());
    CHECK(fakes.journal() == "+b +a -b");
  }
}

}  // namespace weir
