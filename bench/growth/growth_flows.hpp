#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "registry/flow_registry.hpp"

namespace weir::bench {

/// The flows that worker processes can be told to serve, by slug: "bench" (EmptyFlow with one
/// step), "parking" (one wait step, for a signal that nobody sends), "busy" (a map whose handlers
/// need 2 ms of a processor each), flow_with_outputs(bytes). Lives as long as the process.
FlowModule growth_flow(std::string_view slug);

/// The slug of the flow whose only step returns so many bytes, which cannot be compressed.
std::string flow_with_outputs(std::size_t bytes);

}  // namespace weir::bench
