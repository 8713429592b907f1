#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>

namespace weir {

/// How many processes of this process's memory cgroup the kernel has ended so far because memory ran
/// out; nullopt when it does not tell. Of cgroup v2 (memory.events) or v1 (memory.oom_control); the
/// arguments are for tests.  [any thread]
std::optional<std::uint64_t> oom_kills(
    const std::filesystem::path& membership = "/proc/self/cgroup",
    const std::filesystem::path& cgroups = "/sys/fs/cgroup");

}  // namespace weir
