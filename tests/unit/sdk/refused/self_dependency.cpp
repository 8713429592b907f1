// expect: refused::self_dependency[;,>].*[{]"b"[}].*[{]"b"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(self_dependency, "m.M", step<number>("a"), step<number>("b").after("b"))
#else
WEIR_FLOW(self_dependency, "m.M", step<number>("a"), step<number>("b").after("a"))
#endif
