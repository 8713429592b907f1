/// One call for a scenario of a concurrent class under every strategy of lockstep: a short round in
/// the tests, a long one in script/lockstep.
///
/// Environment: WEIR_LOCKSTEP_SCHEDULES, how many random schedules a scenario must survive (then
/// depth-first search must also come to its end); WEIR_LOCKSTEP_REPEAT, the token of a failure, to
/// see that schedule alone; WEIR_LOCKSTEP_RESULTS, a file to which a line of JSON is appended for
/// each exploration.
#pragma once
#include <functional>

#include <weir/testing/lockstep.hpp>

namespace weir::schedules {

/// The running test's body must hold under every schedule that is tried: random, pct and pos walks, each
/// also with weak memory, and depth-first up to options.preemptions.
void survive(const std::function<void()>& body, lockstep::Options options = {});

/// The running test's body has a bug: some strategy must find it within 200 schedules, whose
/// message then contains `expected`, and its token must repeat the very same interleaving.
void find(const std::function<void()>& body, std::string_view expected,
          lockstep::Options options = {});

}  // namespace weir::schedules
