// expect: refused::no_steps[;,>].*[{]"no_steps"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(no_steps, "m.M")
#else
WEIR_FLOW(no_steps, "m.M", step<number>("a"))
#endif
