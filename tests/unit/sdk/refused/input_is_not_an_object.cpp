// expect: refused::input_is_not_an_object[;,>].*[{]"t"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(input_is_not_an_object, "m.M", step<number>("a"), step<twice>("t").after("a"))
#else
WEIR_FLOW(input_is_not_an_object, "m.M", step<number>("a"), step<parts>("t").after("a"))
#endif
