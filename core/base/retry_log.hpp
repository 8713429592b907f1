#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <weir/result.hpp>

#include "base/log.hpp"

namespace weir {

/// Tells of an action that fails and is repeated: when it fails, again whenever it fails for another
/// reason (the error's kind), and when it succeeds at last.  [one thread at a time]
class RetryLog {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  /// `fails` and `succeeds` begin the lines, which go on with ", retrying: ERROR" and " after N s":
  /// "cannot join" and "can join again". They and `log` must outlive the object.
  RetryLog(Log& log, std::string_view fails, std::string_view succeeds)
      : log_(log), fails_(fails), succeeds_(succeeds) {}

  void failed(const Error& error, Steady now = std::chrono::steady_clock::now());
  void succeeded(Steady now = std::chrono::steady_clock::now());

 private:
  Log& log_;
  const std::string_view fails_, succeeds_;
  std::optional<Steady> since_;  // of the first failure after a success
  std::string kind_;             // what was told last
};

}  // namespace weir
