#pragma once
#include <cstdint>

namespace weir {

/// Limits this process for good, and every thread that it starts from now on: no core files, at
/// most 1024 open files, at most `memory_bytes` of address space (0: as before), no new privileges,
/// and no fork, no exec, no ptrace (they fail with EPERM). For a process of one thread that is
/// about to run a plugin's code: it contains accidents, not malice.
///
/// False when this kernel or machine does not filter system calls; the rest holds then too.
bool restrict_this_process(std::int64_t memory_bytes) noexcept;

}  // namespace weir
