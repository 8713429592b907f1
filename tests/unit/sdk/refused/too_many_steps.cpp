// expect: refused::too_many_steps[;,>].*[{]"too_many_steps"[}]
#include "steps.hpp"

// Chains of 8, 64 and 512 steps: each step after the one before it, the first after the last of
// chain `p`.
// clang-format off
#define STEP(before, own) , step<number>("s" #own).after("s" #before)
#define STEPS_8(p, n) \
  STEP(p##7, n##0) STEP(n##0, n##1) STEP(n##1, n##2) STEP(n##2, n##3) \
  STEP(n##3, n##4) STEP(n##4, n##5) STEP(n##5, n##6) STEP(n##6, n##7)
#define STEPS_64(p, n) \
  STEPS_8(p##7, n##0) STEPS_8(n##0, n##1) STEPS_8(n##1, n##2) STEPS_8(n##2, n##3) \
  STEPS_8(n##3, n##4) STEPS_8(n##4, n##5) STEPS_8(n##5, n##6) STEPS_8(n##6, n##7)
#define STEPS_512(p, n) \
  STEPS_64(p##7, n##0) STEPS_64(n##0, n##1) STEPS_64(n##1, n##2) STEPS_64(n##2, n##3) \
  STEPS_64(n##3, n##4) STEPS_64(n##4, n##5) STEPS_64(n##5, n##6) STEPS_64(n##6, n##7)

// 512 + 7 × 64 + 7 × 8 + 7 = 1023
#define STEPS_1023 \
  STEPS_512(1, 2) \
  STEPS_64(27, 30) STEPS_64(30, 31) STEPS_64(31, 32) STEPS_64(32, 33) STEPS_64(33, 34) \
  STEPS_64(34, 35) STEPS_64(35, 36) \
  STEPS_8(367, 370) STEPS_8(370, 371) STEPS_8(371, 372) STEPS_8(372, 373) STEPS_8(373, 374) \
  STEPS_8(374, 375) STEPS_8(375, 376) \
  STEP(3767, 3770) STEP(3770, 3771) STEP(3771, 3772) STEP(3772, 3773) STEP(3773, 3774) \
  STEP(3774, 3775) STEP(3775, 3776)
// clang-format on

#ifdef BROKEN
WEIR_FLOW(too_many_steps, "m.M", step<number>("s1777") STEPS_1023, step<number>("one_more"))
#else
WEIR_FLOW(too_many_steps, "m.M", step<number>("s1777") STEPS_1023)
static_assert(weir_flow_too_many_steps.steps.size() == 1024);
#endif
