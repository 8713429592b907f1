#pragma once

namespace weir {

/// What becomes of who starts a process or another program all the same.
enum class NewProcess {
  kills,  ///< it ends the whole process with SIGSYS
  fails,  ///< it gets EPERM
};

/// From now on nothing that runs in this process starts a process or another program, or traces
/// one; threads may be started. For good, and for this process alone. False where the kernel has no
/// filters for system calls, or we none for this machine.
bool forbid_new_processes(NewProcess who_does) noexcept;

}  // namespace weir
