#include <doctest/doctest.h>

#include <weir/supervisor/thread_child.hpp>

#include "schedules/schedules.hpp"
#include "schedules/supervisor_scenarios.hpp"

namespace weir {
namespace {

using lockstep::require;
using lockstep::Sync;
using supervised::FakeChildren;
using supervised::fault;
using supervised::settle;
using supervised::started;
using supervised::Supervisor;
using namespace std::chrono_literals;

}  // namespace

TEST_SUITE("schedules: supervisor") {
  TEST_CASE("a death against a stop leaves nothing running and starts nothing after the stop") {
    schedules::survive([] {
      FakeChildren fakes;
      const auto supervisor = started({}, {fakes.child("a"), fakes.child("b")});
      Sync::Thread death([end = fakes.first_end("b")] { end.with(fault()); });
      require(supervisor->stop().has_value(), "a stop is no giving up");
      require(fakes.running == 0, "a child outlives its supervisor");
      const int starts = fakes.starts["b"];
      death.join();
      require(fakes.starts["b"] == starts, "a child was started after the stop");
      require(!supervisor->whereis("b"), "a child is found after the stop");
    });
  }

  TEST_CASE("two deaths at once are one restart of all") {
    schedules::survive([] {
      FakeChildren fakes;
      const auto supervisor = started(
          {.strategy = Strategy::one_for_all, .limit = {.max_restarts = 1, .max_seconds = 1h}},
          {fakes.child("a"), fakes.child("b")});
      Sync::Thread first([end = fakes.first_end("a")] { end.with(fault()); });
      Sync::Thread second([end = fakes.first_end("b")] { end.with(fault()); });
      first.join();
      second.join();
      settle(*supervisor);
      require(fakes.running == 2, "not all run again");
      require(fakes.starts["a"] == 2 && fakes.starts["b"] == 2, "restarted more than once");
    });
  }

  TEST_CASE("racing callers of resolve get the same child of one start") {
    schedules::survive([] {
      FakeChildren fakes;
      const auto supervisor =
          started({.template_spec = [&](const std::string& key) { return fakes.child(key); }}, {});
      std::shared_ptr<Child> one;
      Sync::Thread other([&] { one = supervisor->resolve("k").value_or(nullptr); });
      const auto two = supervisor->resolve("k");
      other.join();
      require(one && two && one == *two, "two callers got two children");
      require(fakes.starts["k"] == 1, "it was started twice");
    });
  }

  TEST_CASE("resolve against a death finds the life before or the life after") {
    schedules::survive([] {
      FakeChildren fakes;
      const auto supervisor =
          started({.template_spec = [&](const std::string& key) { return fakes.child(key); }},
                  {fakes.child("k")});
      Sync::Thread death([end = fakes.first_end("k")] { end.with(fault()); });
      const auto found = supervisor->resolve("k");
      require(found.has_value(), "a permanent child was not found");
      death.join();
      const auto after = supervisor->resolve("k");
      require(after.has_value() && *after == supervisor->whereis("k"), "the wrong life is found");
      require(fakes.starts["k"] == 2, "a death is one restart");
    });
  }

  TEST_CASE("terminate against a restart ends with the child stopped") {
    schedules::survive([] {
      FakeChildren fakes;
      const auto supervisor = started({}, {fakes.child("a")});
      Sync::Thread death([end = fakes.first_end("a")] { end.with(fault()); });
      require(supervisor->terminate_child("a").has_value(), "it could not be terminated");
      death.join();
      settle(*supervisor);
      require(fakes.running == 0, "it was restarted after it was terminated");
      require(supervisor->children()[0].state == ChildInfo::State::stopped, "it is not stopped");
    });
  }

  TEST_CASE("two that terminate one child stop it once") {
    schedules::survive([] {
      FakeChildren fakes;
      const auto supervisor = started({}, {fakes.child("a")});
      Sync::Thread other([&] { require(supervisor->terminate_child("a").has_value(), "refused"); });
      require(supervisor->terminate_child("a").has_value(), "refused");
      other.join();
      require(fakes.stops.size() == 1 && fakes.running == 0, "not stopped once");
    });
  }

  TEST_CASE("giving up goes up or the stop is first and either way all is stopped") {
    schedules::survive([] {
      FakeChildren fakes;
      const RestartLimit none{.max_restarts = 0, .max_seconds = 1s};
      const auto outer = started(
          {.name = "outer", .limit = none},
          {basic_supervisor_child<Sync>({.name = "inner", .limit = none}, {fakes.child("a")})});
      Sync::Thread death([end = fakes.first_end("a")] { end.with(fault()); });
      const Result<void> ended = outer->stop();
      require(ended || ended.error().kind == "gave_up", "it ended with something else");
      require(fakes.running == 0 && fakes.starts["a"] == 1, "a child outlives the tree");
      death.join();
    });
  }

  TEST_CASE("a call against a stop is done or refused and never forgotten") {
    schedules::survive([] {
      FakeChildren fakes;
      const auto supervisor = started({}, {});
      Sync::Thread caller([&] {
        const auto child = supervisor->start_child(fakes.child("a"));
        require(child || child.error().kind == "supervisor_ended", "it failed otherwise");
      });
      supervisor->request_stop();
      caller.join();
      require(supervisor->wait().has_value(), "a stop is no giving up");
      require(fakes.running == 0, "a child outlives its supervisor");
    });
  }

  TEST_CASE("an end against the time limit is collected or abandoned and never both") {
    schedules::survive([] {
      int collected = 0;
      int abandoned = 0;
      class Slow final : public Child {
       public:
        Slow(int& collects, int& abandons) : collects_(collects), abandons_(abandons) {}
        void stop() override {}
        void collect() override { ++collects_; }
        void abandon() override { ++abandons_; }

       private:
        int& collects_;
        int& abandons_;
      };
      std::optional<ChildEnd> end;
      const auto supervisor =
          started({}, {{.id = "slow",
                        .start = [&](const ChildEnd& child_end) -> Result<std::shared_ptr<Child>> {
                          end = child_end;
                          return std::make_shared<Slow>(collected, abandoned);
                        },
                        .restart = Restart::transient,
                        .shutdown = Shutdown::after(1ms)}});
      Sync::Thread late([child_end = *end] {
        supervised::sleep(1ms);
        child_end.normally();
      });
      require(supervisor->stop().has_value(), "a stop is no giving up");
      require(collected + abandoned == 1, "it was not let go of once");
      require(supervisor->children()[0].abandoned == static_cast<std::size_t>(abandoned),
              "the count is wrong");
      late.join();
    });
  }

  TEST_CASE("a thread that waits for its stop signal is not forgotten") {
    schedules::survive([] {
      bool ended = false;
      const auto body = [&](const BasicStopSignal<Sync>& stop) {
        stop.wait();
        ended = true;
      };
      const auto supervisor = started(
          {}, {basic_thread_child<Sync>("a", body, Restart::permanent, Shutdown::forever())});
      require(supervisor->stop().has_value(), "a stop is no giving up");
      require(ended, "it was not waited for");
    });
  }

  TEST_CASE("restarts are counted to the border of their window") {
    schedules::survive(supervised::restarts_are_counted_to_the_border);
  }

  TEST_CASE("an observer may take a lock whose holder looks at the children") {
    schedules::survive(supervised::an_observer_takes_a_lock);
  }
}

}  // namespace weir
