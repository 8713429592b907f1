#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "step/attempt.hpp"

namespace weir {

/// Runs the handlers of a worker's attempts: its slots, or a simulation of them.
///
/// Invariant: take_finished() returns every attempt given to start() exactly once, with `started`,
/// `result` and `ended` set, unless its handler never returns or withdraw() returned the attempt.
/// [the worker's loop]
class StepRunner {
 public:
  virtual ~StepRunner() = default;
  virtual void start(std::vector<std::shared_ptr<Attempt>> attempts) = 0;
  virtual std::vector<std::shared_ptr<Attempt>> take_finished() = 0;

  using Which = std::function<bool(const Attempt&)>;

  /// Takes back at most `count` attempts that wait for a slot and of which `which` is true, those
  /// given last first. Their handlers have not begun, and never will.
  virtual std::vector<std::shared_ptr<Attempt>> withdraw(std::size_t count, const Which& which) = 0;

  /// The attempt is over though its handler, which ignores its stop token, still runs: the handler
  /// keeps its thread and resources, and another thread takes its slot (F4). Or its deferred call is
  /// pending: what completes it comes too late.
  virtual void abandon(const Attempt&) = 0;

  /// How many slots have no thread, because abandoned handlers keep too many.
  virtual std::size_t lost() const = 0;

 protected:
  /// withdraw() from those that wait, in the order in which they were given.
  static std::vector<std::shared_ptr<Attempt>> withdraw_from(
      std::deque<std::shared_ptr<Attempt>>& waiting, std::size_t count, const Which& which) {
    std::vector<std::shared_ptr<Attempt>> withdrawn;
    for (std::size_t i = waiting.size(); i-- > 0 && withdrawn.size() < count;) {
      if (!which(*waiting[i])) continue;
      withdrawn.push_back(std::move(waiting[i]));
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return withdrawn;
  }
};

}  // namespace weir
