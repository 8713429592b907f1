// expect: by value or by const reference
#include "steps.hpp"

#ifdef BROKEN
static void change(weir::Context&, Parts&) {}
#else
static void change(weir::Context&, const Parts&) {}
#endif
WEIR_FLOW(input_by_reference, "m.M", step<change>("a"))
