#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace weir::detail {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "weir: %s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace weir::detail
