#pragma once
#include <chrono>
#include <string_view>
#include <thread>

#include <fmt/core.h>

#include "store/local/folder_error.hpp"

namespace weir::local {

/// A time limit for something that another process does. There is no event for what is waited for
/// here (a line in a file, the end of a process that is not our child), so the caller polls every
/// two milliseconds.
class Deadline {
 public:
  static constexpr std::chrono::milliseconds poll_interval{2};

  explicit Deadline(std::chrono::seconds patience)
      : patience_(patience), end_(std::chrono::steady_clock::now() + patience) {}

  bool passed() const noexcept { return std::chrono::steady_clock::now() >= end_; }
  static void wait_one_interval() { std::this_thread::sleep_for(poll_interval); }

  /// The message is "WHAT within 60 s".
  Error error(std::string_view what) const {
    return unavailable("server_slow", fmt::format("{} within {} s", what, patience_.count()),
                       "try again");
  }

 private:
  std::chrono::seconds patience_;
  std::chrono::steady_clock::time_point end_;
};

}  // namespace weir::local
