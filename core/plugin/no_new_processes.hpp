#pragma once

namespace weir {

/// What happens on an attempt to start a process or another program.
enum class NewProcess {
  kills,  ///< it ends the whole process with SIGSYS
  fails,  ///< it fails with EPERM
};

/// From now on the calling thread, and every thread that it starts, cannot start a process or
/// another program, or trace one; they may start threads. Cannot be undone. False when the kernel
/// has no filters for system calls, or when there is none here for this machine.
bool forbid_new_processes(NewProcess consequence) noexcept;

}  // namespace weir
