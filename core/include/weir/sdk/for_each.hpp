#pragma once

// WEIR_FOR_EACH(macro, fixed, a, b, …) → macro(fixed, a) , macro(fixed, b) , …
// Up to 300 items: each WEIR_RESCAN level reads its text again four times, which is how the
// preprocessor loops.
#define WEIR_RESCAN(...) WEIR_RESCAN_4(WEIR_RESCAN_4(WEIR_RESCAN_4(WEIR_RESCAN_4(__VA_ARGS__))))
#define WEIR_RESCAN_4(...) WEIR_RESCAN_3(WEIR_RESCAN_3(WEIR_RESCAN_3(WEIR_RESCAN_3(__VA_ARGS__))))
#define WEIR_RESCAN_3(...) WEIR_RESCAN_2(WEIR_RESCAN_2(WEIR_RESCAN_2(WEIR_RESCAN_2(__VA_ARGS__))))
#define WEIR_RESCAN_2(...) WEIR_RESCAN_1(WEIR_RESCAN_1(WEIR_RESCAN_1(WEIR_RESCAN_1(__VA_ARGS__))))
#define WEIR_RESCAN_1(...) __VA_ARGS__

#define WEIR_FOR_EACH(macro, fixed, ...) \
  __VA_OPT__(WEIR_RESCAN(WEIR_FOR_EACH_STEP(macro, fixed, __VA_ARGS__)))
#define WEIR_FOR_EACH_STEP(macro, fixed, first, ...) \
  macro(fixed, first) __VA_OPT__(, WEIR_FOR_EACH_AGAIN WEIR_PARENS(macro, fixed, __VA_ARGS__))
#define WEIR_FOR_EACH_AGAIN() WEIR_FOR_EACH_STEP
#define WEIR_PARENS ()
