#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/engine/figures.hpp"
#include "bench/engine/fresh.hpp"

namespace weir::bench {

/// Runs that two clients start in batches, in turns, while a worker runs them: how long each takes
/// until its handler begins.
class Load {
 public:
  Load(const std::string& url, std::size_t batches, std::size_t runs_a_batch);

  /// Waits until a batch may be started; from when its latencies count. Each client calls it.
  using Wait = std::function<Clock::time_point(std::size_t batch)>;

  /// Starts everything, and waits until the last handler has begun. per_s: runs that began.
  Figures measure(const Wait& wait);

  /// Returns when all runs of a batch have begun.
  void wait_for_begin(std::size_t batch) const;

  static constexpr std::size_t clients = 2;

 private:
  void start_as(std::size_t client, RunStore& store, const Wait& wait);
  std::size_t runs() const { return since_.size() * batch_; }

  std::size_t batch_;
  std::vector<Clock::time_point> since_;  // of each batch; a client writes its own ones
  TimedFlow flow_;
  Fresh fresh_;
  std::unique_ptr<RunStore> second_store_;
};

/// Waits until a worker has nothing to do.
void wait_until_idle(postgres::Session& admin);

double milliseconds_between(Clock::time_point from, Clock::time_point to);

}  // namespace weir::bench
