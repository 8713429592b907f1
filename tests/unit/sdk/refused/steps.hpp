#pragma once
// What the files beside this one build their flows from.
#include <string>
#include <vector>

#include <weir/flow.hpp>

struct Parts {
  int a;
};
WEIR_JSON(Parts, a)

inline int number(weir::Context&) { return 1; }
inline std::string text(weir::Context&) { return "a"; }
inline std::vector<int> numbers(weir::Context&) { return {1}; }
inline int twice(weir::Context&, int n) { return 2 * n; }
inline int parts(weir::Context&, Parts in) { return in.a; }
