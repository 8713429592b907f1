// expect: refused::duplicate_signal[;,>].*[{]"b"[}].*[{]"a"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(duplicate_signal, "m.M", wait("a", 1h), wait("b", 1h).signal("a"))
#else
WEIR_FLOW(duplicate_signal, "m.M", wait("a", 1h), wait("b", 1h))
#endif
