// expect: refused::bad_module_name[;,>].*[{]"bad_module_name"[}].*[{]"m-m"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(bad_module_name, "m-m", step<number>("a"))
#else
WEIR_FLOW(bad_module_name, "m.M", step<number>("a"))
#endif
