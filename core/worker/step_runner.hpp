#pragma once
#include <memory>
#include <vector>

#include "step/attempt.hpp"

namespace weir {

/// What runs the handlers of a worker's attempts: its slots, or a simulation of them.
///
/// Invariant: every attempt given to start() comes back from take_finished() exactly once, its
/// `started`, `result` and `ended` set, unless its handler never returns.  [the worker's loop]
class StepRunner {
 public:
  virtual ~StepRunner() = default;
  virtual void start(std::shared_ptr<Attempt> attempt) = 0;
  virtual std::vector<std::shared_ptr<Attempt>> take_finished() = 0;

  /// The attempt was settled without its handler, which ignores its stop token: whatever that holds
  /// it keeps, and others run in its place (F4).
  virtual void abandon(const Attempt&) {}
};

}  // namespace weir
