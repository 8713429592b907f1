#pragma once
#include <memory>
#include <vector>

#include "step/attempt.hpp"

namespace weir {

/// Runs the handlers of a worker's attempts: its slots, or a simulation of them.
///
/// Invariant: take_finished() returns every attempt given to start() exactly once, with `started`,
/// `result` and `ended` set, unless its handler never returns.  [the worker's loop]
class StepRunner {
 public:
  virtual ~StepRunner() = default;
  virtual void start(std::shared_ptr<Attempt> attempt) = 0;
  virtual std::vector<std::shared_ptr<Attempt>> take_finished() = 0;

  /// The attempt was settled without its handler, which ignores its stop token: the handler keeps
  /// its thread and resources, and another thread takes its slot (F4).
  virtual void abandon(const Attempt&) {}
};

}  // namespace weir
