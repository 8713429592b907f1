// A flow of three steps that each take a while: VERSION tells its two builds apart.
#include <chrono>
#include <thread>

#include <weir/flow.hpp>

namespace {

struct Pace {
  int milliseconds;
};
WEIR_JSON(Pace, milliseconds)

struct AfterFirst {
  Pace first;
};
WEIR_JSON(AfterFirst, first)

struct AfterSecond {
  Pace second;
};
WEIR_JSON(AfterSecond, second)

Pace paced(weir::Context& context, const Pace& pace) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(pace.milliseconds);
  while (std::chrono::steady_clock::now() < end) {
    context.check();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return pace;
}

Pace first(weir::Context& context, const Pace& pace) { return paced(context, pace); }
Pace second(weir::Context& context, const AfterFirst& input) { return paced(context, input.first); }
int third(weir::Context& context, const AfterSecond& input) {
  paced(context, input.second);
  return VERSION;
}

WEIR_FLOW(paced, "test.Paced", options().max_attempts(2 + VERSION), step<first>("first"),
          step<second>("second").after("first"), step<third>("third").after("second"));

}  // namespace

WEIR_PLUGIN(paced)
