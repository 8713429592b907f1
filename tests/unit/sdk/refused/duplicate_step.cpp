// expect: refused::duplicate_step[;,>].*[{]"A"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(duplicate_step, "m.M", step<number>("a"), step<number>("A"))
#else
WEIR_FLOW(duplicate_step, "m.M", step<number>("a"), step<number>("b"))
#endif
