// expect: refused::unknown_dependency[;,>].*[{]"b"[}].*[{]"c"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(unknown_dependency, "m.M", step<number>("a"), step<number>("b").after("c"))
#else
WEIR_FLOW(unknown_dependency, "m.M", step<number>("a"), step<number>("b").after("a"))
#endif
