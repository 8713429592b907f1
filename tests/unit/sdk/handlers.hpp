#pragma once
#include <boost/json/value.hpp>

#include <weir/flow.hpp>

namespace weir::testing {

// Handlers of steps that are declared.
inline int number(Context&) { return 1; }
inline int twice(Context&, int n) { return 2 * n; }
inline boost::json::value pass(Context&, boost::json::value in) { return in; }

}  // namespace weir::testing
