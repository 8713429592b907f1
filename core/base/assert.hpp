#pragma once

namespace weir::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}

/// A programmer's error ends the program, in release builds too. Never for input.
#define WEIR_ASSERT(condition)  \
  (static_cast<bool>(condition) \
       ? static_cast<void>(0)   \
       : ::weir::detail::assertion_failed(#condition, __FILE__, __LINE__))
