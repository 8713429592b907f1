// expect: a_member_is_named_twice
#include "steps.hpp"

#ifdef BROKEN
#define SECOND first
#else
#define SECOND second
#endif
struct Pair {
  int first, second;
};
WEIR_JSON(Pair, first, SECOND)
static_assert(weir::schema<Pair>().size() > 0);
