// expect: refused::result_does_not_fit_input[;,>].*[{]"p"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(result_does_not_fit_input, "m.M", step<text>("a"), step<parts>("p").after("a"))
#else
WEIR_FLOW(result_does_not_fit_input, "m.M", step<number>("a"), step<parts>("p").after("a"))
#endif
