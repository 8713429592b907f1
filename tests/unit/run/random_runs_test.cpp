#include <doctest/doctest.h>

#include "support/seeds.hpp"
#include "unit/run/random_flow.hpp"
#include "unit/run/simulated_run.hpp"

TEST_SUITE("run: random") {
  TEST_CASE("P1: any run of any flow ends and can be told from its journal at every moment") {
    weir::testing::for_seeds(1'000, [](weir::Random& random) {
      const weir::FlowDefinition definition = weir::random_flow(random);
      weir::SimulatedRun(definition, random).live();
    });
  }
}
