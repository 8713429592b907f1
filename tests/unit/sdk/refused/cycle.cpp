// expect: refused::cycle[;,>].*[{]"b"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(cycle, "m.M", step<number>("a").after("b"), step<number>("b").after("a"))
#else
WEIR_FLOW(cycle, "m.M", step<number>("a").after("b"), step<number>("b"))
#endif
