#pragma once
#include <algorithm>
#include <chrono>
#include <optional>

#include "base/time.hpp"

namespace weir {

/// The database's time, told between exchanges by this host's steady clock: a host whose wall clock
/// jumps does no harm (L3). It moves only as far as what the database says demands, so that two
/// moments told one after the other lie as far apart as they were.
class DatabaseClock {
 public:
  /// `told` is what the database said between the two moments.
  void set(Time told, Steady before, Steady after) noexcept {
    const Duration least = told.time_since_epoch() - steady_count(after);
    const Duration most = told.time_since_epoch() - steady_count(before);
    offset_ = offset_ ? std::clamp(*offset_, least, most) : least + (most - least) / 2;
  }
  Time at(Steady moment) const noexcept {
    return Time{steady_count(moment) + offset_.value_or(Duration(0))};
  }

 private:
  static Duration steady_count(Steady moment) noexcept {
    return std::chrono::duration_cast<Duration>(moment.time_since_epoch());
  }
  std::optional<Duration> offset_;
};

}  // namespace weir
