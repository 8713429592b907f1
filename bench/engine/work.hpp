#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "bench/engine/figures.hpp"

namespace weir::bench {

/// Who does a work: Weir, the floor, or a peer.
struct Side {
  std::string name;
  std::function<Result<Figures>()> measure;  ///< one round
  bool may_be_missing = false;               ///< without it the others are measured nevertheless
  std::vector<Figures> rounds = {};
  std::string left_out = {};  ///< why it is
};

/// One work and those who do it, Weir first.
struct Work {
  std::string name;
  std::string unit;  ///< of per_s; "ms": latencies are measured
  std::vector<Side> sides;
  bool compares_handlers = false;  ///< ratios are of the others by the first

  bool is_latency() const { return unit == "ms"; }
};

}  // namespace weir::bench
