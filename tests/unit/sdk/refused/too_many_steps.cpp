// expect: refused::too_many_steps[;,>].*[{]"too_many_steps"[}]
#include "steps.hpp"

#ifdef BROKEN
#define EIGHT_STEPS(n) \
  STEP(n##0), STEP(n##1), STEP(n##2), STEP(n##3), STEP(n##4), STEP(n##5), STEP(n##6), STEP(n##7)
#define STEP(n) step<number>("s" #n)
#define SIXTY_FOUR(n)                                                                            \
  EIGHT_STEPS(n##0), EIGHT_STEPS(n##1), EIGHT_STEPS(n##2), EIGHT_STEPS(n##3), EIGHT_STEPS(n##4), \
      EIGHT_STEPS(n##5), EIGHT_STEPS(n##6), EIGHT_STEPS(n##7)
#define HALF(n)                                                                             \
  SIXTY_FOUR(n##0), SIXTY_FOUR(n##1), SIXTY_FOUR(n##2), SIXTY_FOUR(n##3), SIXTY_FOUR(n##4), \
      SIXTY_FOUR(n##5), SIXTY_FOUR(n##6), SIXTY_FOUR(n##7)
WEIR_FLOW(too_many_steps, "m.M", HALF(a), HALF(b), step<number>("one_more"))
#else
WEIR_FLOW(too_many_steps, "m.M", step<number>("a"))
#endif
