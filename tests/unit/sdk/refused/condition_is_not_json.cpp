// expect: refused::condition_is_not_json[;,>].*[{]"a"[}].*[{]"yes[}]"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(condition_is_not_json, "m.M", step<number>("a").only_if(R"({"ok": yes})"))
#else
WEIR_FLOW(condition_is_not_json, "m.M", step<number>("a").only_if(R"({"ok": "yes"})"))
#endif
