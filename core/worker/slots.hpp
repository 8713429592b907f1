#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "step/attempt.hpp"
#include "step/flight_recorder.hpp"
#include "step/step_call.hpp"
#include "step/step_resources.hpp"
#include "worker/slot_book.hpp"
#include "worker/step_runner.hpp"

namespace weir {

/// The threads that run handlers.
///
/// Threads: the worker's loop calls everything here; slots call `on_finished`.
///
/// A handler may defer its call (weir/abi/async.h): then its thread serves the next attempt, and what
/// completes the call, on a thread of the plugin, finishes the attempt.
///
/// Invariants: those of SlotBook, and
/// - `count` - lost() threads serve, not counting those of abandoned handlers. At most
///   threads_max(count) threads exist.
/// - With a recorder, no handler runs on a thread that the recorder has no seat for.
class Slots final : public StepRunner {
 public:
  /// `on_finished` is called on a slot's thread when take_finished() has attempts after it had none,
  /// and when a call was deferred and nothing waits for its slot, but not after close(). It must be
  /// quick and must not call this object. Running attempts are recorded in `recorder`, unless that is
  /// null.
  /// At most `deferred_max` calls may be deferred at a time.
  Slots(std::size_t count, std::shared_ptr<StepResources> resources, std::shared_ptr<Log> log,
        std::function<void()> on_finished, std::shared_ptr<FlightRecorder> recorder = nullptr,
        std::size_t deferred_max = 0);

  /// Waits for handlers that still run and for calls that are pending, at most `patience`. Returns
  /// how many threads did not end, those of abandoned handlers included, and how many calls were not
  /// completed: when there is one, all threads are detached, and the process should end soon.
  std::size_t close(std::chrono::milliseconds patience);
  ~Slots() override;

  void start(std::vector<std::shared_ptr<Attempt>> attempts) override;
  std::vector<std::shared_ptr<Attempt>> take_finished() override;

  std::vector<std::shared_ptr<Attempt>> withdraw(std::size_t count, const Which& which) override;

  /// Replaces the thread, unless `stuck_max` times `count` threads more than the slots exist
  /// already: then the slot is lost until an abandoned handler returns, whose thread serves again.
  void abandon(const Attempt& attempt) override;
  static constexpr std::size_t stuck_max = 16;
  std::size_t lost() const override;
  /// How many attempts have no slot because their calls are deferred and pending.
  std::size_t pending() const;

  /// The most threads that `count` slots ever have at a time.
  static constexpr std::size_t threads_max(std::size_t count) { return (1 + stuck_max) * count; }

 private:
  struct Shared;
  static void serve(const std::shared_ptr<Shared>& shared, std::size_t thread);
  static bool run(const std::shared_ptr<Attempt>& attempt, FlightRecorder::Seat& seat,
                  const Shared& shared);
  void start_thread();

  std::size_t count_;
  std::shared_ptr<Shared> shared_;
  std::size_t next_thread_ = 0;
  /// By number, without those of abandoned handlers, which are detached.
  std::map<std::size_t, std::thread> threads_;
};

}  // namespace weir
