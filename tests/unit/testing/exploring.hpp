#pragma once
#include <functional>
#include <string>

#include <weir/testing/lockstep.hpp>

namespace weir::testing {

/// As lockstep::explore, for a body that may fail.
inline lockstep::Report explored(const lockstep::Options& options,
                                 const std::function<void()>& body) {
  const lockstep::LeaksIgnored ignored;  // what fails is left where it stands
  return lockstep::explore(options, body);
}

/// What an exploration of `body` fails with, or "no failure".
inline std::string message_of(const std::function<void()>& body,
                              const lockstep::Options& options = {}) {
  const lockstep::Report report = explored(options, body);
  return report.failure ? report.failure->message : "no failure";
}

}  // namespace weir::testing
