#pragma once
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "step/attempt.hpp"
#include "step/flight_recorder.hpp"
#include "step/step_resources.hpp"
#include "worker/step_runner.hpp"

namespace weir {

/// The threads that run handlers.
///
/// Threads: the worker's loop calls everything here; slots call `on_finished`.
///
/// Invariants: take_finished() returns every attempt given to start() exactly once, unless its
/// handler never returns; at most `count` handlers run at the same time, not counting abandoned
/// ones.
class Slots final : public StepRunner {
 public:
  /// `on_finished` is called on a slot's thread whenever take_finished() has a new attempt, but not
  /// after close(). It must be quick and must not call this object. Running attempts are recorded
  /// in `recorder`, unless that is null.
  Slots(std::size_t count, std::shared_ptr<StepResources> resources, std::shared_ptr<Log> log,
        std::function<void()> on_finished, std::shared_ptr<FlightRecorder> recorder = nullptr);

  /// Waits for handlers that still run, at most `patience`. Returns how many threads did not end:
  /// when there is one, all threads are detached, and the process should end soon.
  std::size_t close(std::chrono::milliseconds patience);
  ~Slots() override;

  void start(std::shared_ptr<Attempt> attempt) override;
  std::vector<std::shared_ptr<Attempt>> take_finished() override;

  /// Replaces at most `stuck_max` times `count` threads; every further abandoned handler costs a
  /// slot.
  void abandon(const Attempt& attempt) override;
  static constexpr std::size_t stuck_max = 16;

  std::size_t count() const noexcept { return count_; }

 private:
  struct Shared;
  static void serve(const std::shared_ptr<Shared>& shared);

  std::size_t count_;
  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;  ///< including threads that have ended
};

}  // namespace weir
