// expect: refused::map_over_non_array[;,>].*[{]"m"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(map_over_non_array, "m.M", step<number>("a"), map<twice>("m").over("a"))
#else
WEIR_FLOW(map_over_non_array, "m.M", step<numbers>("a"), map<twice>("m").over("a"))
#endif
