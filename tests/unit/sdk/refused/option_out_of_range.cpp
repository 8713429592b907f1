// expect: refused::option_out_of_range[;,>].*[{]"a"[}].*[{]"timeout_ms"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(option_out_of_range, "m.M", step<number>("a").timeout(721h))
#else
WEIR_FLOW(option_out_of_range, "m.M", step<number>("a").timeout(720h))
#endif
