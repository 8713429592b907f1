// expect: refused::misplaced_option[;,>].*[{]"a"[}].*[{]"max_attempts"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(misplaced_option, "m.M", wait("a", 1h).max_attempts(2))
#else
WEIR_FLOW(misplaced_option, "m.M", wait("a", 1h).start_delay(2s))
#endif
