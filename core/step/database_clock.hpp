#pragma once
#include <algorithm>
#include <chrono>
#include <optional>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace weir {

/// The database's time, continued between exchanges with this host's steady clock, so that a host
/// whose wall clock jumps does no harm (L3). An exchange corrects it only as far as the database's
/// answer requires, so that the time between two readings is the time that really passed. It is never
/// ahead of the database, and behind it by no more than an exchange takes: so nothing that lasts until
/// a moment ends before it.
class DatabaseClock {
 public:
  /// `reported` is the time that the database reported between the two moments.
  void set(Time reported, Steady before, Steady after) noexcept {
    WEIR_ASSERT(before <= after);
    const Duration least = reported.time_since_epoch() - steady_count(after);
    const Duration most = reported.time_since_epoch() - steady_count(before);
    offset_ = offset_ ? std::clamp(*offset_, least, most) : least;
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
