// expect: refused::flow_dependencies[;,>].*[{]"c"[}].*[{]"b"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(flow_dependencies, "m.M", step<number>("a"), step<number>("b"), flow("c").over("a", "b"))
#else
WEIR_FLOW(flow_dependencies, "m.M", step<number>("a"), step<number>("b"), flow("c").over("a"))
#endif
