#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/process_handle.hpp"

namespace weir {

/// How many processes of this process's memory cgroup the kernel has ended so far because memory ran
/// out; nullopt when it does not tell. Of cgroup v2 (memory.events) or v1 (memory.oom_control); the
/// arguments are for tests.  [any thread]
std::optional<std::uint64_t> oom_kills(
    const std::filesystem::path& membership = "/proc/self/cgroup",
    const std::filesystem::path& cgroups = "/sys/fs/cgroup");

/// "; the kernel's out-of-memory killer ended 2 processes of this cgroup meanwhile", of a process
/// that was killed while oom_kills() went from `before` to `now`; else empty.
std::string text_of_oom_kills(const ProcessEnd& end, std::optional<std::uint64_t> before,
                              std::optional<std::uint64_t> now = oom_kills());

}  // namespace weir
