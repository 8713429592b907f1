// expect: refused::input_member_can_be_absent[;,>].*[{]"p"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(input_member_can_be_absent, "m.M", step<number>("a").when_exhausted(skip),
          step<parts>("p").after("a"))
#else
WEIR_FLOW(input_member_can_be_absent, "m.M", step<number>("a").when_exhausted(skip),
          step<parts>("p").after("a").only_if(R"({"a": {}})"))
#endif
