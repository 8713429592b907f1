// expect: same module name, or the same slug in any case
#include "steps.hpp"

#ifdef BROKEN
#define OTHER "m.One"
#else
#define OTHER "m.Two"
#endif
WEIR_FLOW(one, "m.One", step<number>("a"))
WEIR_FLOW(two, OTHER, step<number>("a"))
WEIR_PLUGIN(one, two)
