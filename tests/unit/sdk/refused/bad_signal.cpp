// expect: refused::bad_signal[;,>].*[{]"a"[}].*[{]"a b"[}]
#include "steps.hpp"

#ifdef BROKEN
WEIR_FLOW(bad_signal, "m.M", wait("a", 1h).signal("a b"))
#else
WEIR_FLOW(bad_signal, "m.M", wait("a", 1h).signal("a.b"))
#endif
