#pragma once
#include <functional>
#include <string>

#include <weir/testing/lockstep.hpp>

namespace weir::testing {

/// What an exploration of `body` fails with, or "no failure".
inline std::string message_of(const std::function<void()>& body, lockstep::Options options = {}) {
  const lockstep::LeaksIgnored ignored;  // what fails is left where it stands
  const lockstep::Report report = lockstep::explore(std::move(options), body);
  return report.failure ? report.failure->message : "no failure";
}

}  // namespace weir::testing
