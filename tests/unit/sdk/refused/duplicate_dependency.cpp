// expect: refused::duplicate_dependency[;,>].*[{]"b"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(duplicate_dependency, "m.M", step<number>("a"), step<number>("b").after("a", "a"))
#else
WEIR_FLOW(duplicate_dependency, "m.M", step<number>("a"), step<number>("b").after("a"))
#endif
