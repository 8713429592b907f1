// expect: refused::endless_flow[;,>].*[{]"a"[}].*[{]"endless_flow"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(endless_flow, "m.M", flow("a").runs("endless_flow"))
#else
WEIR_FLOW(endless_flow, "m.M", flow("a").runs("endless_flow").unless(R"({"depth": 0})"))
#endif
