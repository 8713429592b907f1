// expect: an asynchronous handler takes its input by value: a reference would outlive what it refers to
#include <weir/async.hpp>

#include "steps.hpp"

#ifdef BROKEN
static weir::Async<int> ask_later(weir::Context&, const Parts& parts) { co_return parts.a; }
#else
static weir::Async<int> ask_later(weir::Context&, Parts parts) { co_return parts.a; }
#endif
WEIR_FLOW(async_input_by_reference, "m.M", step<ask_later>("a"))
