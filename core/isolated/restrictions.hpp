#pragma once
#include <cstdint>

namespace weir {

/// Permanently limits this process and every thread that it starts from now on: no core files, at
/// most 1024 open files, at most `memory_bytes` of memory of its own that it can write (0: unchanged), no new privileges,
/// and no fork, exec or ptrace (they fail with EPERM). For a process with one thread that is about
/// to run a plugin's code: it contains accidents, not malicious code.
///
/// False when this kernel or machine cannot filter system calls; the other limits apply then too.
bool restrict_this_process(std::int64_t memory_bytes) noexcept;

}  // namespace weir
