#pragma once

namespace weir {

/// From now on whoever starts a process or another program in this one ends it with SIGSYS,
/// whatever runs in it by then; threads may be started. For good, and for this process alone. False
/// where the kernel has no filters for system calls, or we none for this machine.
bool forbid_new_processes() noexcept;

}  // namespace weir
