// expect: refused::map_dependencies[;,>].*[{]"m"[}].*[{]"b"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(map_dependencies, "m.M", step<numbers>("a"), step<numbers>("b"),
          map<twice>("m").over("a", "b"))
#else
WEIR_FLOW(map_dependencies, "m.M", step<numbers>("a"), step<numbers>("b"),
          map<twice>("m").over("a"))
#endif
