#pragma once
#include <chrono>

#include "base/time.hpp"

namespace weir {

/// The database's time, told between exchanges by this host's steady clock: a host whose wall clock
/// jumps does no harm (L3).
class DatabaseClock {
 public:
  /// `told` is what the database said between the two moments.
  void set(Time told, Steady before, Steady after) noexcept {
    offset_ = told.time_since_epoch() - steady_count(before + (after - before) / 2);
  }
  Time at(Steady moment) const noexcept { return Time{steady_count(moment) + offset_}; }
  Time now() const noexcept { return at(std::chrono::steady_clock::now()); }

 private:
  static Duration steady_count(Steady moment) noexcept {
    return std::chrono::duration_cast<Duration>(moment.time_since_epoch());
  }
  Duration offset_{};
};

}  // namespace weir
