#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "step/flight_recorder.hpp"
#include "support/eventually.hpp"
#include "unit/worker/parts.hpp"
#include "worker/slots.hpp"

namespace weir::testing {

/// Slots, and a step with that code.
struct Calling {
  TestFlow flow{"asks", {{"s", returns("0")}}};
  LogLines lines;
  weir_step step{};
  Slots slots;

  explicit Calling(decltype(weir_step::run) run, std::size_t deferred = 1'000,
                   std::size_t count = 1, std::shared_ptr<FlightRecorder> recorder = nullptr)
      : slots(
            count, std::make_shared<StepResources>(), lines.log(), [] {}, std::move(recorder),
            deferred) {
    step.struct_size = sizeof(weir_step);
    step.run = run;
  }
  ~Calling() { CHECK(slots.close(std::chrono::seconds(20)) == 0); }

  std::shared_ptr<Attempt> start(const char* input = "null") {
    auto attempt = attempt_for_slots(flow, input);
    attempt->step = &step;
    attempt->flow_input = attempt->input;
    attempt->number = 2;
    slots.start({attempt});
    return attempt;
  }
  std::vector<std::shared_ptr<Attempt>> finished(std::size_t count) {
    std::vector<std::shared_ptr<Attempt>> all;
    REQUIRE(eventually([&] {
      for (auto& each : slots.take_finished()) all.push_back(std::move(each));
      return all.size() >= count;
    }));
    return all;
  }
  std::string output(const char* input = "null") {
    return std::string(result(input).output.value().text());
  }
  AttemptResult result(const char* input = "null") {
    start(input);
    return finished(1).front()->result;
  }
};

/// With calls that may be deferred, and with none.
inline void each_way(decltype(weir_step::run) run, const std::function<void(Calling&)>& check) {
  for (const std::size_t deferred : {std::size_t{1'000}, std::size_t{0}}) {
    CAPTURE(deferred);
    Calling calling(run, deferred);
    check(calling);
  }
}

}  // namespace weir::testing
