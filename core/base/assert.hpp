#pragma once

namespace weir::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}

/// A programmer's error ends the program, in release builds too. Never for input. Cheap: no lock,
/// no allocation, and no pass over a container. The condition has no side effect.
#define WEIR_ASSERT(condition)  \
  (static_cast<bool>(condition) \
       ? static_cast<void>(0)   \
       : ::weir::detail::assertion_failed(#condition, __FILE__, __LINE__))

/// As WEIR_ASSERT, for what is dear to check or checked very often. With NDEBUG the condition is
/// compiled, but not evaluated.
#ifdef NDEBUG
#define WEIR_DEBUG_ASSERT(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define WEIR_DEBUG_ASSERT(condition) WEIR_ASSERT(condition)
#endif
