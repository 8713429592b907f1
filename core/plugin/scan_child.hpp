#pragma once
#include <string>
#include <vector>

namespace weir {

/// The arguments that pass a child its limits, for scan_as_child().
std::vector<std::string> scan_child_arguments(long seconds_max);

/// What this program does as the child that a Scanner starts with scan_wire::child_fd: loads the
/// plugins it is given, one after the other, checks their descriptors and reports what it found.
/// Never returns and runs no destructor, neither of this program nor of a plugin.
///
/// It leaves no core, loads no more than a gigabyte or so of plugins, writes no big file, and is
/// killed when its parent ends. Where the kernel filters system calls (x86-64, aarch64), starting a
/// process kills it with SIGSYS: so nothing that a constructor starts outlives it, whatever session
/// it is in.
[[noreturn]] void scan_as_child(const std::vector<std::string>& arguments);

}  // namespace weir
