#pragma once
#include <cstddef>
#include <random>

#include "definition/flow_definition.hpp"

namespace weir {

using Random = std::mt19937_64;

// 0 … limit - 1
std::size_t below(std::size_t limit, Random& random);
bool one_in(std::size_t times, Random& random);

// Any value, now and then an array; small, and one of few, so that conditions are often met.
Json random_json(Random& random);
Json random_array(Random& random);

// Up to 200 steps, mostly few, of every kind, whose names stand in no order: conditions, fallbacks,
// few attempts, any delays.
FlowDefinition random_flow(Random& random);
FlowDraft random_draft(Random& random);

}  // namespace weir
