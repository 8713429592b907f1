#pragma once
#include <sys/stat.h>

namespace weir::testing {

/// Whatever the umask of whoever runs the tests: files that a test makes are to be trusted.
[[maybe_unused]] static const mode_t umask_before = ::umask(022);

}  // namespace weir::testing
