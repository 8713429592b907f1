// expect: a handler is R f[(]weir::Context&[)] or R f[(]weir::Context&, In[)]
#include "steps.hpp"

#ifdef BROKEN
static int handler(int n) { return n; }
#else
static int handler(weir::Context&) { return 1; }
#endif
WEIR_FLOW(handler_signature, "m.M", step<handler>("a"))
