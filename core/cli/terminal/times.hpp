#pragma once
#include <string>

#include "base/time.hpp"

namespace weir::cli {

/// How long something took, in at most six characters: "850us", "12ms", "3.4s", "5m07s", "2h15m",
/// "3d04h".
std::string shown_duration(Duration duration);

/// "2026-11-21 01:56:26", UTC.
std::string shown_time(Time time);

/// How long ago, in the largest unit: "now", "12s ago", "5m ago", "3h ago", "2d ago".
std::string shown_age(Duration age);

}  // namespace weir::cli
