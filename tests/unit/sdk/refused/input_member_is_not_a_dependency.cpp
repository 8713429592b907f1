// expect: refused::input_member_is_not_a_dependency[;,>].*[{]"p"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(input_member_is_not_a_dependency, "m.M", step<number>("b"), step<parts>("p").after("b"))
#else
WEIR_FLOW(input_member_is_not_a_dependency, "m.M", step<number>("a"), step<parts>("p").after("a"))
#endif
