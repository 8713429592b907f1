// expect: refused::condition_never_met[;,>].*[{]"b"[}].*[{]"signaled"[}]
#include "steps.hpp"

#ifdef BROKEN
#define PATTERN R"({"a": {"signaled": true}})"
#else
#define PATTERN R"({"a": {"signalled": true}})"
#endif
WEIR_FLOW(condition_never_met, "m.M", wait("a", 1h), step<number>("b").after("a").only_if(PATTERN))
#undef PATTERN
