#pragma once
#include <string>
#include <vector>

namespace weir {

/// The arguments by which a child is told its limits, for scan_as_child().
std::vector<std::string> scan_child_arguments(long seconds_max);

/// The face of this program that a Scanner starts, and gives scan_wire::child_fd: loads the plugins
/// it is told of, one after the other, walks their descriptors and says what it found. Never
/// returns and runs no destructor, neither of ours nor of a plugin's.
///
/// It leaves no core, opens no more than a gigabyte or so of plugins, writes no big file, and dies
/// with its parent. Where the kernel filters system calls (x86-64, aarch64), starting a process
/// kills it with SIGSYS: so nothing that a constructor begins outlives it, whatever session it is
/// in.
[[noreturn]] void scan_as_child(const std::vector<std::string>& arguments);

}  // namespace weir
