#include "step/step_resources.hpp"

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include <weir/flow.hpp>

#include "integration/worker/test_flow.hpp"
#include "step/step_call.hpp"
#include "support/eventually.hpp"

namespace {

using namespace weir;
using weir::testing::eventually;

// What the handlers below share with their tests.
struct World {
  std::atomic<int> made = 0, living = 0;
  std::function<void()> making = [] {};
  std::function<void(const Context&, int)> using_ = [](const Context&, int) {};
};
World* world = nullptr;  // of the test that runs

struct Model {
  explicit Model(int with) : number(with) { ++world->living; }
  ~Model() { --world->living; }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  int number;
};

Resource<Model> model(const Context& context) {
  return context.resource<Model>("model", [] {
    world->making();
    return Model(++world->made);
  });
}

int use(Context& context) {
  const auto resource = model(context);
  world->using_(context, resource->number);
  return resource->number;
}

int use_and_discard(Context& context) {
  const auto resource = model(context);
  resource.discard();
  resource.discard();
  return resource->number + world->living * 100;
}

int use_twice(Context& context) { return &*model(context) == &*model(context) ? 1 : 0; }

struct Other {
  int number = 7;
};
int use_another_type(Context& context) {
  model(context);
  return context.resource<Other>("model", [] { return Other(); })->number;
}

int use_itself(Context& context) {
  return context.resource<Model>("model", [&] { return Model(model(context)->number); })->number;
}

// Runs one handler as a slot does.
class Call {
 public:
  explicit Call(decltype(weir_step::run) run, StepResources& resources, std::string sha256 = "aa",
                std::shared_ptr<const void> code = {})
      : resources_(resources) {
    step_.struct_size = sizeof(weir_step);
    step_.run = run;
    FlowModule module = flow_.module();
    module.file.sha256 = std::move(sha256);
    module.code = std::move(code);
    attempt_.flow = FlowHandle(std::move(module));
    attempt_.step = &step_;
    attempt_.input = *Json::parse("null");
    attempt_.flow_input = *Json::parse("null");
  }
  AttemptResult operator()() {
    Log log;
    return call_step(attempt_, resources_, log);
  }
  void cancel() { attempt_.stop.cancel(); }
  std::string output() {
    const AttemptResult result = (*this)();
    return result.output ? std::string(result.output->text())
                         : result.error_code + ": " + result.error;
  }

 private:
  weir::testing::TestFlow flow_{"flow", {{"s", weir::testing::returns("1")}}};
  weir_step step_{};
  StepResources& resources_;
  Attempt attempt_;
};

struct Rig {
  Rig() { world = &own; }
  World own;
  StepResources resources;
};

}  // namespace

TEST_SUITE("step: resources") {
  TEST_CASE_FIXTURE(Rig, "calls of one plugin share a resource and another plugin has its own") {
    CHECK(Call(sdk::run<use>, resources).output() == "1");
    CHECK(Call(sdk::run<use>, resources).output() == "1");
    CHECK(Call(sdk::run<use>, resources, "bb").output() == "2");
    CHECK(Call(sdk::run<use_twice>, resources).output() == "1");
    CHECK(resources.count() == 2);
  }

  TEST_CASE_FIXTURE(Rig, "a resource of another type is another resource") {
    CHECK(Call(sdk::run<use_another_type>, resources).output() == "7");
    CHECK(resources.count() == 2);
  }

  TEST_CASE_FIXTURE(Rig, "V2: what a plugin shared is ended when nobody holds a flow of it") {
    auto code = std::make_shared<int>();
    const std::weak_ptr<int> mapped = code;
    {
      Call call(sdk::run<use>, resources, "aa", std::move(code));
      CHECK(call.output() == "1");
      CHECK(resources.end_unused({}) == 0);
    }
    CHECK(Call(sdk::run<use>, resources, "bb", std::make_shared<int>()).output() == "2");
    CHECK(resources.end_unused({"aa", "bb"}) == 0);
    CHECK(own.living == 2);
    CHECK_FALSE(mapped.expired());
    CHECK(resources.end_unused({"bb"}) == 1);
    CHECK(own.living == 1);
    CHECK(mapped.expired());
    CHECK(resources.end_unused({"bb"}) == 0);
  }

  TEST_CASE_FIXTURE(Rig, "a discarded resource lives until its call returns and is made anew") {
    CHECK(Call(sdk::run<use_and_discard>, resources).output() == "101");
    CHECK(own.living == 0);
    CHECK(Call(sdk::run<use>, resources).output() == "2");
  }

  TEST_CASE_FIXTURE(Rig, "resources end with the worker and one in use with its call") {
    own.using_ = [&](const Context&, int) {
      Log log;
      resources.end(log);
      CHECK(own.living == 1);
    };
    CHECK(Call(sdk::run<use>, resources).output() == "1");
    CHECK(own.living == 0);
    CHECK(Call(sdk::run<use>, resources).output() ==
          "not_started: the resource \"model\" is not started: its registry was shut down");
  }

  TEST_CASE_FIXTURE(Rig, "what a factory throws is a plain failure and the next call tries again") {
    own.making = [] { throw permanent("no_model", "the model is not there"); };
    const AttemptResult failed = Call(sdk::run<use>, resources)();
    CHECK(failed.outcome == Outcome::failed);
    CHECK(failed.error_code == "no_model");
    CHECK(failed.error == "the model is not there");
    own.making = [] { throw std::runtime_error("out of memory"); };
    CHECK(Call(sdk::run<use>, resources).output() == "exception: out of memory");
    own.making = [] { throw 7; };
    CHECK(Call(sdk::run<use>, resources).output() ==
          "unknown_exception: its factory threw something that is not a std::exception");
    own.making = [] {};
    CHECK(Call(sdk::run<use>, resources).output() == "1");
  }

  TEST_CASE_FIXTURE(Rig, "a factory that needs what it makes is refused") {
    CHECK(Call(sdk::run<use_itself>, resources)
              .output()
              .starts_with("would_deadlock: waiting would never end"));
  }

  TEST_CASE_FIXTURE(Rig, "whoever waits gets the failure and a cancelled call stops waiting") {
    std::latch begun(1), go(1);
    own.making = [&] {
      begun.count_down();
      go.wait();
      throw std::runtime_error("out of memory");
    };
    std::string first, second;
    AttemptResult third;
    std::thread makes([&] { first = Call(sdk::run<use>, resources).output(); });
    begun.wait();
    std::thread waits([&] { second = Call(sdk::run<use>, resources).output(); });
    Call stopped(sdk::run<use>, resources);
    std::thread stops([&] { third = stopped(); });
    REQUIRE(eventually([&] { return resources.waiting() == 2; }));
    stopped.cancel();
    stops.join();
    CHECK(third.error_code == "cancelled");
    CHECK(resources.waiting() == 1);
    go.count_down();
    makes.join();
    waits.join();
    CHECK(first == "exception: out of memory");
    CHECK(second == first);
  }
}
