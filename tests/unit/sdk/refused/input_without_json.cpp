// expect: cannot be read from JSON: describe it with WEIR_JSON
#include "steps.hpp"

#ifdef BROKEN
struct Undescribed {
  int n;
};
#else
struct Undescribed {
  int n;
};
WEIR_JSON(Undescribed, n)
#endif
static void take(weir::Context&, Undescribed) {}
WEIR_FLOW(input_without_json, "m.M", step<take>("a"))
