#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "step/attempt.hpp"

namespace weir {

/// The attempts a worker has stated as in flight, with their time limits (F4). Belongs to the loop.
class Flights {
 public:
  /// How long a handler may take to notice its stop token before its attempt is settled without it.
  static constexpr std::chrono::milliseconds stop_grace{1'000};

  struct Flight {
    std::shared_ptr<Attempt> attempt;
    std::optional<Steady> timed_out_at;  ///< when its stop token was fired
  };

  std::size_t size() const noexcept { return flights_.size(); }
  void add(std::shared_ptr<Attempt> attempt);

  /// Takes an attempt out; nullopt when it was settled or forgotten before: what it returns is
  /// refused then.
  std::optional<Flight> take(std::uint64_t ticket);

  /// Takes out everything of one run, its stop tokens fired.
  std::vector<Flight> take_run(RunKey run);

  /// Takes out everything of one share, its stop tokens fired.
  std::vector<Flight> take_share(ShareId share);

  /// Fires the stop tokens of those of a run whose tasks do not matter any more.
  void stop_those(RunKey run, const std::function<bool(TaskId)>& unwanted);

  /// Fires every stop token and forgets all.
  void forget();

  /// Fires the stop tokens of those whose timeout passed. Returns those that did not end within the
  /// grace.
  std::vector<std::uint64_t> enforce(Steady now);

  /// The earliest moment at which enforce() may have something to do.
  std::optional<Steady> next_limit() const;

  std::vector<InFlightTask> stated() const;

 private:
  std::vector<Flight> take_those(const std::function<bool(const Attempt&)>& chosen);

  std::map<std::uint64_t, Flight> flights_;
};

}  // namespace weir
