// expect: refused::bad_slug[;,>].*[{]"a b"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(bad_slug, "m.M", step<number>("a b"))
#else
WEIR_FLOW(bad_slug, "m.M", step<number>("a_b"))
#endif
